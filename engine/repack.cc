#include "engine/repack.h"

#include <fmt/format.h>

#include "io/codec/zstd.h"
#include "io/file/line_reader.h"
#include "io/shard/shard_file.h"

namespace sluice {
namespace {

constexpr size_t kFrameBytes = size_t{1} << 20;

// Gathers lines into frames.
class FrameWriter {
 public:
  FrameWriter(ShardWriter writer, std::optional<int> level) : writer_(std::move(writer)) {
    if (level.has_value()) {
      compressor_ = std::make_unique<ZstdCompressor>(*level);
    }
  }

  Result<void> Add(std::string_view line) {
    pending_.append(line).push_back('\n');
    plain_bytes_ += line.size() + 1;
    return pending_.size() < kFrameBytes ? Result<void>{} : Flush();
  }

  Result<RequestFile> Seal(std::string name) {
    SLUICE_TRY(Flush());
    SLUICE_TRY(writer_.Seal());
    return RequestFile{
        .name = std::move(name), .plain_bytes = plain_bytes_, .checksum = writer_.checksum()};
  }

 private:
  Result<void> Flush() {
    if (pending_.empty()) {
      return {};
    }
    frame_.clear();
    if (compressor_ != nullptr) {
      compressor_->AppendFrame(AsBytes(pending_), frame_);
    }
    const auto bytes =
        compressor_ != nullptr ? std::span<const std::byte>(frame_) : AsBytes(pending_);
    Result<void> written = writer_.Append(bytes);
    pending_.clear();
    return written;
  }

  ShardWriter writer_;
  std::unique_ptr<ZstdCompressor> compressor_;
  std::string pending_;
  std::vector<std::byte> frame_;
  uint64_t plain_bytes_ = 0;
};

}  // namespace

Result<RequestFile> Repack(FileSystem& files, const RepackRequest& request,
                           const std::stop_token& stop) {
  SLUICE_ASSIGN(auto source, OpenShard(files, request.shard_path));
  SLUICE_ASSIGN(ShardWriter writer, ShardWriter::Create(files, request.new_path));
  LineReader lines(std::move(source));
  FrameWriter out(std::move(writer), request.zstd_level);
  auto wanted = request.rows.begin();
  while (wanted != request.rows.end()) {
    if (stop.stop_requested()) {
      return Fail(ErrorCode::kUnfinished, "stopped while failed rows were packed anew");
    }
    SLUICE_ASSIGN(const auto line, lines.Next());
    if (!line.has_value()) {
      return Fail(ErrorCode::kIo,
                  fmt::format("'{}' lacks the request of row {}", request.shard_path, *wanted));
    }
    const bool has_key = line->size() > request.key_offset + kKeyDigits;
    if (has_key && ParseKey(line->substr(request.key_offset, kKeyDigits)) == *wanted) {
      SLUICE_TRY(out.Add(*line));
      ++wanted;
    }
  }
  return out.Seal(request.new_path.substr(request.new_path.rfind('/') + 1));
}

}  // namespace sluice
