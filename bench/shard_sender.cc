#include "bench/shard_sender.h"

#include <fmt/format.h>

#include "api/files/sha256.h"
#include "api/http/curl_transport.h"
#include "io/shard/shard_file.h"

namespace sluice {

ShardSender::ShardSender(FileSystem& files, std::string url, ShardForm form)
    : files_(files), url_(std::move(url)), form_(form), thread_([this] { SendAll(); }) {}

void ShardSender::Add(std::string path, const ShardEntry& entry) {
  const std::scoped_lock lock(mutex_);
  queue_.push_back(
      {.path = std::move(path),
       .size = form_ == ShardForm::kUnpacked ? entry.plain_bytes : entry.compressed_bytes});
  wakeup_.notify_one();
}

Result<void> ShardSender::Close() {
  {
    const std::scoped_lock lock(mutex_);
    ended_ = true;
    wakeup_.notify_one();
  }
  thread_.join();
  return result_;
}

void ShardSender::SendAll() {
  while (result_.has_value()) {
    std::unique_lock lock(mutex_);
    wakeup_.wait(lock, [this] { return ended_ || !queue_.empty(); });
    if (queue_.empty()) {
      return;
    }
    const Job job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    result_ = SendOne(job);
  }
}

Result<void> ShardSender::SendOne(const Job& job) const {
  std::unique_ptr<ByteSource> plain;
  std::unique_ptr<File> packed;
  if (form_ == ShardForm::kUnpacked) {
    SLUICE_ASSIGN(plain, OpenShard(files_, job.path));
  } else {
    SLUICE_ASSIGN(packed, files_.Open(job.path, OpenMode::kRead));
  }
  Sha256 hash;
  const BodyReader read = [&](std::span<std::byte> buffer) -> Result<size_t> {
    if (packed != nullptr) {
      return packed->Read(buffer);
    }
    SLUICE_ASSIGN(const size_t count, plain->Read(buffer));
    hash.Update(buffer.first(count));
    return count;
  };
  const auto transport = MakeCurlTransport({});
  SLUICE_ASSIGN(const HttpResponse response,
                transport->Send({.method = "PUT",
                                 .url = url_,
                                 .body_reader = read,
                                 .body_size = job.size,
                                 .timeout = std::chrono::milliseconds(0)}));
  if (!response.ok()) {
    return Fail(ErrorCode::kBadAnswer, fmt::format("status {}", response.status));
  }
  return {};
}

}  // namespace sluice
