#include "engine/answer_stream.h"

#include <algorithm>
#include <cstring>

#include "io/base/exhaustion.h"

namespace sluice {

class AnswerStream::PipeSource final : public ByteSource {
 public:
  explicit PipeSource(AnswerStream& stream) : stream_(stream) {}
  Result<size_t> Read(std::span<std::byte> buffer) override { return stream_.Read(buffer); }

 private:
  AnswerStream& stream_;
};

AnswerStream::AnswerStream(const BatchJob& job, const Environment& environment,
                           std::stop_token stop)
    : thread_([this, &job, environment, stop = std::move(stop)] {
        const std::stop_callback forward(stop, [this] { stop_.request_stop(); });
        FetchAll(job, environment, stop_.get_token());
      }) {}

AnswerStream::~AnswerStream() {
  stop_.request_stop();
  pipe_.EndReading();
}

void AnswerStream::FetchAll(const BatchJob& job, const Environment& environment,
                            const std::stop_token& stop) {
  const auto begin = std::chrono::steady_clock::now();
  uint64_t bytes = 0;
  const BodyWriter writer = [&](std::span<const std::byte> piece) -> Result<void> {
    checksum_.Add(piece);
    begin_.append(reinterpret_cast<const char*>(piece.data()),
                  std::min(piece.size(), kBeginBytes - begin_.size()));
    bytes += piece.size();
    environment.progress.bytes_fetched += piece.size();
    if (environment.keeper != nullptr) {
      SLUICE_TRY(environment.keeper->Take(piece));
    }
    return pipe_.Write(piece);
  };
  const auto restart = [&]() -> Result<void> {
    if (bytes == 0) {
      return {};
    }
    began_anew_ = true;
    // Not a transient error: another try would fetch all of what nobody reads any more.
    return Fail(ErrorCode::kUnfinished, "the service began the answers anew");
  };
  fetched_ = Caught([&] { return environment.provider.FetchAnswers(job, writer, restart, stop); });
  environment.times.Add(Stage::kFetch,
                        std::chrono::steady_clock::now() - begin - pipe_.write_wait());
  pipe_.EndWriting(fetched_->has_value() ? std::nullopt : std::optional(fetched_->error()));
}

Result<std::string_view> AnswerStream::Peek(size_t size) {
  const size_t had = front_.size();
  front_.resize(std::max(had, size));
  size_t used = had;
  while (used < front_.size()) {
    const auto room = std::as_writable_bytes(std::span(front_)).subspan(used);
    SLUICE_ASSIGN(const size_t count, pipe_.Read(room));
    if (count == 0) {
      break;
    }
    used += count;
  }
  front_.resize(used);
  return front_;
}

std::unique_ptr<ByteSource> AnswerStream::Source() { return std::make_unique<PipeSource>(*this); }

Result<size_t> AnswerStream::Read(std::span<std::byte> buffer) {
  if (front_read_ == front_.size()) {
    return pipe_.Read(buffer);
  }
  const size_t count = std::min(buffer.size(), front_.size() - front_read_);
  std::memcpy(buffer.data(), front_.data() + front_read_, count);
  front_read_ += count;
  return count;
}

Result<AnswerStream::Fetched> AnswerStream::Finish() {
  pipe_.EndReading();
  thread_.join();
  if (!fetched_->has_value()) {
    return std::unexpected(fetched_->error());
  }
  return Fetched{.bytes = **fetched_, .checksum = checksum_.Hex(), .begin = std::move(begin_)};
}

}  // namespace sluice
