// UploadBody: the bytes of a StageSource from some offset on, as a request's body, hashed on the
// way. A source that is shorter or longer than it said is an Error before its last byte is sent.
// One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "api/files/sha256.h"
#include "api/files/stage_source.h"
#include "io/base/error.h"
#include "io/codec/byte_source.h"

namespace sluice {

class UploadBody {
 public:
  // Opens the source and reads past `offset` bytes of it.
  [[nodiscard]] static Result<UploadBody> Open(const StageSource& source, uint64_t offset);

  // As BodyReader.
  [[nodiscard]] Result<size_t> Read(std::span<std::byte> buffer);
  [[nodiscard]] uint64_t position() const { return position_; }
  // Of all bytes, once they were all read.
  [[nodiscard]] std::optional<std::string> sha256() const { return sha256_; }

 private:
  UploadBody(std::unique_ptr<ByteSource> source, uint64_t size)
      : source_(std::move(source)), size_(size) {}

  std::unique_ptr<ByteSource> source_;
  uint64_t size_;
  uint64_t position_ = 0;
  Sha256 hash_;
  std::optional<std::string> sha256_;
};

}  // namespace sluice
