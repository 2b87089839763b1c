#include "io/codec/zstd.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>
#include <zstd.h>
#include <zstd_errors.h>

#include "io/base/aligned_buffer.h"
#include "io/base/checksum.h"
#include "io/base/exhaustion.h"

namespace sluice {
namespace {

// ZSTD_WINDOWLOG_LIMIT_DEFAULT, which only zstd's static interface names.
constexpr int kWindowLogMax = 27;

// Where we do not take what a level of zstd 1.5.4 stands for; measured in docs/decisions/0006.
struct Tuning {
  int window_log = 0;  // 0: as zstd has it
  int hash_log = 0;
  int chain_log = 0;

  friend bool operator==(const Tuning&, const Tuning&) = default;
};

// One frame in four. Its first bytes decide, so that the same frame is always made the same way.
bool IsQuickFrame(std::span<const std::byte> plain) {
  constexpr size_t kBytesLookedAt = 256;
  return ChecksumOf(plain.first(std::min(plain.size(), kBytesLookedAt))) % 4 == 0;
}

// Windows as large as the frames that a pack makes.
Tuning TuningFor(int level, std::span<const std::byte> plain) {
  switch (level) {
    case 1:
      return {.window_log = 21};
    case 3:
      return IsQuickFrame(plain) ? Tuning{.window_log = 22, .hash_log = 17, .chain_log = 15}
                                 : Tuning{.window_log = 22, .hash_log = 18, .chain_log = 14};
    default:
      return {};
  }
}

// From here on a block takes long enough for somebody to wait for its end.
constexpr int kSlowLevel = 10;
constexpr size_t kSliceBytes = size_t{128} << 10;

// Nothing is wrong then with the data, or with us.
void ThrowIfOutOfMemory(size_t code) {
  RequireMemory(ZSTD_getErrorCode(code) != ZSTD_error_memory_allocation);
}

class ZstdSource final : public ByteSource {
 public:
  ZstdSource(std::unique_ptr<ByteSource> compressed, std::string name)
      : compressed_(std::move(compressed)),
        name_(std::move(name)),
        context_(ZSTD_createDCtx()),
        buffer_(ZSTD_DStreamInSize()) {
    RequireMemory(context_ != nullptr);
    const size_t set = ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kWindowLogMax);
    SLUICE_CHECK(ZSTD_isError(set) == 0, ZSTD_getErrorName(set));
  }

  Result<size_t> Read(std::span<std::byte> buffer) override {
    ZSTD_outBuffer output = {.dst = buffer.data(), .size = buffer.size(), .pos = 0};
    while (output.pos == 0 && output.size > 0) {
      if (input_.pos == input_.size && !may_hold_output_) {
        SLUICE_ASSIGN(const bool more, Refill());
        if (!more) {
          return 0;
        }
      }
      const size_t left = ZSTD_decompressStream(context_.get(), &output, &input_);
      if (ZSTD_isError(left) != 0) {
        ThrowIfOutOfMemory(left);
        return std::unexpected(Refused(left));
      }
      is_whole_ = left == 0;
      may_hold_output_ = left != 0 && output.pos == output.size;
    }
    return output.pos;
  }

 private:
  struct FreeContext {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };

  // False at the end, which must be the end of a frame.
  Result<bool> Refill() {
    SLUICE_ASSIGN(const size_t count, compressed_->Read(buffer_.span()));
    input_ = {.src = buffer_.data(), .size = count, .pos = 0};
    if (count == 0 && !is_whole_) {
      return Fail(ErrorCode::kInput, fmt::format("'{}' is cut: its zstd data ends early", name_));
    }
    return count > 0;
  }

  [[nodiscard]] Error Refused(size_t code) const {
    if (ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge) {
      return {.code = ErrorCode::kInput,
              .message = fmt::format("'{}' needs a window of more than 128 MiB", name_),
              .hint = "unpack it first: zstd -dc --long=31, and - reads standard input"};
    }
    return {
        .code = ErrorCode::kInput,
        .message = fmt::format("'{}' is not good zstd data: {}", name_, ZSTD_getErrorName(code))};
  }

  std::unique_ptr<ByteSource> compressed_;
  std::string name_;
  std::unique_ptr<ZSTD_DCtx, FreeContext> context_;
  AlignedBuffer buffer_;
  ZSTD_inBuffer input_ = {};
  bool may_hold_output_ = false;  // the last call filled its buffer to the brim
  bool is_whole_ = false;         // the last frame ended; never true of an empty stream
};

}  // namespace

std::unique_ptr<ByteSource> MakeZstdSource(std::unique_ptr<ByteSource> compressed,
                                           std::string name) {
  return std::make_unique<ZstdSource>(std::move(compressed), std::move(name));
}

struct ZstdCompressor::Context {
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> zstd = std::unique_ptr<ZSTD_CCtx, Free>(ZSTD_createCCtx());

  int level = 0;
  Tuning tuning = {};

  void Tune(const Tuning& wanted) {
    if (wanted != tuning) {
      Set(ZSTD_c_windowLog, wanted.window_log);
      Set(ZSTD_c_hashLog, wanted.hash_log);
      Set(ZSTD_c_chainLog, wanted.chain_log);
      tuning = wanted;
    }
  }

  void Set(ZSTD_cParameter parameter, int value) const {
    const size_t set = ZSTD_CCtx_setParameter(zstd.get(), parameter, value);
    ThrowIfOutOfMemory(set);
    SLUICE_CHECK(ZSTD_isError(set) == 0, ZSTD_getErrorName(set));
  }
};

ZstdCompressor::ZstdCompressor(int level) : context_(std::make_unique<Context>()) {
  RequireMemory(context_->zstd != nullptr);
  context_->level = level;
  context_->Set(ZSTD_c_compressionLevel, level);
  context_->Set(ZSTD_c_checksumFlag, 1);
  context_->Set(ZSTD_c_contentSizeFlag, 1);
}

ZstdCompressor::~ZstdCompressor() = default;

size_t ZstdCompressor::FrameBound(size_t plain_size) { return ZSTD_compressBound(plain_size); }

std::optional<size_t> ZstdCompressor::Compress(std::span<const std::byte> plain,
                                               std::span<std::byte> out,
                                               const std::stop_token& stop) {
  context_->Tune(TuningFor(context_->level, plain));
  if (context_->level >= kSlowLevel) {
    return CompressInSlices(plain, out, stop);
  }
  const size_t size =
      ZSTD_compress2(context_->zstd.get(), out.data(), out.size(), plain.data(), plain.size());
  ThrowIfOutOfMemory(size);
  SLUICE_CHECK(ZSTD_isError(size) == 0, ZSTD_getErrorName(size));
  return size;
}

std::optional<size_t> ZstdCompressor::CompressInSlices(std::span<const std::byte> plain,
                                                       std::span<std::byte> out,
                                                       const std::stop_token& stop) {
  ZSTD_CCtx* const zstd = context_->zstd.get();
  ZSTD_CCtx_reset(zstd, ZSTD_reset_session_only);
  const size_t pledged = ZSTD_CCtx_setPledgedSrcSize(zstd, plain.size());
  ThrowIfOutOfMemory(pledged);
  SLUICE_CHECK(ZSTD_isError(pledged) == 0, ZSTD_getErrorName(pledged));
  ZSTD_outBuffer output = {.dst = out.data(), .size = out.size(), .pos = 0};
  ZSTD_inBuffer input = {.src = plain.data(), .size = 0, .pos = 0};
  for (size_t left = 1; input.pos < plain.size() || left != 0;) {
    if (stop.stop_requested()) {
      return std::nullopt;
    }
    input.size = std::min(plain.size(), input.pos + kSliceBytes);
    const bool is_last = input.size == plain.size();
    left = ZSTD_compressStream2(zstd, &output, &input, is_last ? ZSTD_e_end : ZSTD_e_continue);
    ThrowIfOutOfMemory(left);
    SLUICE_CHECK(ZSTD_isError(left) == 0, ZSTD_getErrorName(left));
  }
  return output.pos;
}

void ZstdCompressor::AppendFrame(std::span<const std::byte> plain, std::vector<std::byte>& out) {
  const size_t begin = out.size();
  out.resize(begin + FrameBound(plain.size()));
  out.resize(begin + Compress(plain, std::span(out).subspan(begin)).value());
}

}  // namespace sluice
