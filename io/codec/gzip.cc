#include "io/codec/gzip.h"

#include <algorithm>
#include <fmt/format.h>
#include <isa-l/igzip_lib.h>
#include <limits>
#include <utility>

#include "io/base/aligned_buffer.h"

namespace sluice {
namespace {

constexpr size_t kInputBytes = size_t{128} << 10;

class GzipSource final : public ByteSource {
 public:
  GzipSource(std::unique_ptr<ByteSource> compressed, std::string name)
      : compressed_(std::move(compressed)),
        name_(std::move(name)),
        state_(std::make_unique<inflate_state>()),
        buffer_(kInputBytes) {
    isal_inflate_init(state_.get());
    state_->crc_flag = ISAL_GZIP;
  }

  Result<size_t> Read(std::span<std::byte> buffer) override {
    const uint32_t room =
        static_cast<uint32_t>(std::min<size_t>(buffer.size(), std::numeric_limits<int32_t>::max()));
    state_->next_out = reinterpret_cast<uint8_t*>(buffer.data());
    state_->avail_out = room;
    while (state_->avail_out == room && room > 0) {
      if (state_->avail_in == 0 && !may_hold_output_) {
        SLUICE_ASSIGN(const bool more, Refill());
        if (!more) {
          return 0;
        }
      }
      SLUICE_TRY(Inflate());
    }
    return room - state_->avail_out;
  }

 private:
  // False at the end, which must be the end of a member.
  Result<bool> Refill() {
    SLUICE_ASSIGN(const size_t count, compressed_->Read(buffer_.span()));
    state_->next_in = reinterpret_cast<uint8_t*>(buffer_.data());
    state_->avail_in = static_cast<uint32_t>(count);
    if (count == 0 && state_->block_state != ISAL_BLOCK_FINISH) {
      return Fail(ErrorCode::kInput, fmt::format("'{}' is cut: its gzip data ends early", name_));
    }
    return count > 0;
  }

  Result<void> Inflate() {
    if (state_->block_state == ISAL_BLOCK_FINISH) {
      isal_inflate_reset(state_.get());
      state_->crc_flag = ISAL_GZIP;
    }
    int status = ReadHeader();
    if (status == ISAL_DECOMP_OK) {
      status = isal_inflate(state_.get());
    }
    if (status < 0) {
      return Fail(ErrorCode::kInput,
                  fmt::format("'{}' is not good gzip data: {}", name_, Reason(status)));
    }
    may_hold_output_ = state_->avail_out == 0 && state_->block_state != ISAL_BLOCK_FINISH;
    return {};
  }

  // isal_inflate() would read it too, but forgets which parts follow when the input ends in the
  // middle of one (2.30): bgzip's members begin with such a header each 64 KiB. Positive while more
  // input is needed.
  int ReadHeader() {
    return state_->wrapper_flag != 0 ? ISAL_DECOMP_OK
                                     : isal_read_gzip_header(state_.get(), &header_);
  }

  static std::string_view Reason(int status) {
    switch (status) {
      case ISAL_INCORRECT_CHECKSUM:
        return "checksum or length is wrong";
      case ISAL_INVALID_WRAPPER:
      case ISAL_UNSUPPORTED_METHOD:
        return "no gzip header where one is due";
      default:
        return "corrupt";
    }
  }

  std::unique_ptr<ByteSource> compressed_;
  std::string name_;
  std::unique_ptr<inflate_state> state_;
  isal_gzip_header header_{};  // no buffers: names and comments are passed over
  AlignedBuffer buffer_;
  bool may_hold_output_ = false;  // the last call filled its buffer to the brim
};

}  // namespace

std::unique_ptr<ByteSource> MakeGzipSource(std::unique_ptr<ByteSource> compressed,
                                           std::string name) {
  return std::make_unique<GzipSource>(std::move(compressed), std::move(name));
}

}  // namespace sluice
