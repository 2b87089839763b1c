#include "io/codec/zstd.h"

#include <fmt/format.h>
#include <utility>
#include <zstd.h>

#include "io/base/aligned_buffer.h"

namespace sluice {
namespace {

// ZSTD_WINDOWLOG_LIMIT_DEFAULT, which only zstd's static interface names.
constexpr int kWindowLogMax = 27;

// Level 1 of zstd 1.5.4 has a table of 2^14 places and matches of 7 bytes. Half the table fits into
// the first cache of today's processors, and shorter matches make good for it: 1 % smaller and 1 %
// faster on text in many languages (docs/benchmarks.md).
constexpr int kFastHashLog = 13;
constexpr int kFastMinMatch = 6;

class ZstdSource final : public ByteSource {
 public:
  ZstdSource(std::unique_ptr<ByteSource> compressed, std::string name)
      : compressed_(std::move(compressed)),
        name_(std::move(name)),
        context_(ZSTD_createDCtx()),
        buffer_(ZSTD_DStreamInSize()) {
    if (context_ == nullptr) {
      throw std::bad_alloc();
    }
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
        return Fail(ErrorCode::kInput,
                    fmt::format("'{}' is not good zstd data: {}", name_, ZSTD_getErrorName(left)));
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

  void Set(ZSTD_cParameter parameter, int value) {
    const size_t set = ZSTD_CCtx_setParameter(zstd.get(), parameter, value);
    SLUICE_CHECK(ZSTD_isError(set) == 0, ZSTD_getErrorName(set));
  }
};

ZstdCompressor::ZstdCompressor(int level) : context_(std::make_unique<Context>()) {
  if (context_->zstd == nullptr) {
    throw std::bad_alloc();
  }
  context_->Set(ZSTD_c_compressionLevel, level);
  if (level == 1) {
    context_->Set(ZSTD_c_hashLog, kFastHashLog);
    context_->Set(ZSTD_c_minMatch, kFastMinMatch);
  }
  context_->Set(ZSTD_c_checksumFlag, 1);
  context_->Set(ZSTD_c_contentSizeFlag, 1);
}

ZstdCompressor::~ZstdCompressor() = default;

size_t ZstdCompressor::FrameBound(size_t plain_size) { return ZSTD_compressBound(plain_size); }

size_t ZstdCompressor::Compress(std::span<const std::byte> plain, std::span<std::byte> out) {
  const size_t size =
      ZSTD_compress2(context_->zstd.get(), out.data(), out.size(), plain.data(), plain.size());
  // With room for the worst case only a lack of memory is left to fail.
  SLUICE_CHECK(ZSTD_isError(size) == 0, ZSTD_getErrorName(size));
  return size;
}

void ZstdCompressor::AppendFrame(std::span<const std::byte> plain, std::vector<std::byte>& out) {
  const size_t begin = out.size();
  out.resize(begin + FrameBound(plain.size()));
  out.resize(begin + Compress(plain, std::span(out).subspan(begin)));
}

}  // namespace sluice
