// HashedBody: the bytes of a StageSource from some offset on, as a request's body, hashed on the
// way. A source that is shorter or longer than it said is an Error before its last byte is sent.
// One thread at a time.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/files/sha256.h"
#include "api/files/stage_source.h"
#include "io/base/error.h"
#include "io/codec/byte_source.h"

namespace sluice {

// `Hash` is Sha256 or another with its Update() and HexDigest().
template <typename Hash>
class HashedBody {
 public:
  // Opens the source and reads past `offset` bytes of it.
  [[nodiscard]] static Result<HashedBody> Open(const StageSource& source, uint64_t offset) {
    SLUICE_ASSIGN(auto bytes, source.open());
    HashedBody body(std::move(bytes), source.size);
    SLUICE_TRY(body.Finish(0));  // Of an empty source, all bytes were read.
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

  // As BodyReader.
  [[nodiscard]] Result<size_t> Read(std::span<std::byte> buffer) {
    const uint64_t left = size_ - position_;
    buffer = buffer.first(static_cast<size_t>(std::min<uint64_t>(buffer.size(), left)));
    if (buffer.empty()) {
      return 0;
    }
    SLUICE_ASSIGN(const size_t size, source_->Read(buffer));
    if (size == 0) {
      return Fail(ErrorCode::kIo,
                  "the source of an upload ended " + std::to_string(left) + " bytes early");
    }
    hash_.Update(buffer.first(size));
    SLUICE_TRY(Finish(size));
    return size;
  }

  [[nodiscard]] uint64_t position() const { return position_; }
  // Hex, of all bytes, once they were all read.
  [[nodiscard]] std::optional<std::string> digest() const { return digest_; }

 private:
  HashedBody(std::unique_ptr<ByteSource> source, uint64_t size)
      : source_(std::move(source)), size_(size) {}

  // `more` bytes were read: at the end there must be no other.
  Result<void> Finish(size_t more) {
    position_ += more;
    if (position_ < size_) {
      return {};
    }
    std::array<std::byte, 1> surplus{};
    SLUICE_ASSIGN(const size_t count, source_->Read(surplus));
    if (count > 0) {
      return Fail(ErrorCode::kIo,
                  "the source of an upload is longer than " + std::to_string(size_) + " bytes");
    }
    digest_ = hash_.HexDigest();
    return {};
  }

  std::unique_ptr<ByteSource> source_;
  uint64_t size_;
  uint64_t position_ = 0;
  Hash hash_;
  std::optional<std::string> digest_;
};

using UploadBody = HashedBody<Sha256>;

}  // namespace sluice
