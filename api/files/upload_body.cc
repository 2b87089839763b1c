#include "api/files/upload_body.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <vector>

namespace sluice {

Result<UploadBody> UploadBody::Open(const StageSource& source, uint64_t offset) {
  SLUICE_ASSIGN(auto bytes, source.open());
  UploadBody body(std::move(bytes), source.size);
  std::vector<std::byte> skipped(static_cast<size_t>(std::min<uint64_t>(offset, 1U << 20)));
  while (body.position_ < offset) {
    const uint64_t left = offset - body.position_;
    const std::span<std::byte> part =
        std::span(skipped).first(static_cast<size_t>(std::min<uint64_t>(skipped.size(), left)));
    SLUICE_ASSIGN(const size_t size, body.Read(part));
    SLUICE_CHECK(size > 0, "an upload was continued behind its end");
  }
  return body;
}

Result<size_t> UploadBody::Read(std::span<std::byte> buffer) {
  const uint64_t left = size_ - position_;
  buffer = buffer.first(static_cast<size_t>(std::min<uint64_t>(buffer.size(), left)));
  if (buffer.empty()) {
    return 0;
  }
  SLUICE_ASSIGN(const size_t size, source_->Read(buffer));
  if (size == 0) {
    return Fail(ErrorCode::kIo, fmt::format("the source of an upload ended {} bytes early", left));
  }
  hash_.Update(buffer.first(size));
  position_ += size;
  if (position_ == size_) {
    std::array<std::byte, 1> more{};
    SLUICE_ASSIGN(const size_t surplus, source_->Read(more));
    if (surplus > 0) {
      return Fail(ErrorCode::kIo,
                  fmt::format("the source of an upload is longer than {} bytes", size_));
    }
    sha256_ = hash_.HexDigest();
  }
  return size;
}

}  // namespace sluice
