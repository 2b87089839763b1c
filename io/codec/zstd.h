// zstd, the only place that knows it. Frames are joined freely: a file of several frames decodes as
// one stream.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "io/base/error.h"
#include "io/codec/byte_source.h"

namespace sluice {

// Reads one or more joined frames (skippable ones too). `name` stands in messages. The window is
// bounded (128 MiB, zstd's own default bound, ZSTD_WINDOWLOG_LIMIT_DEFAULT 27); a frame that asks
// for more is an Error.
[[nodiscard]] std::unique_ptr<ByteSource> MakeZstdSource(std::unique_ptr<ByteSource> compressed,
                                                         std::string name);

// A reusable compression context: one call, one frame with content size and checksum. The same
// bytes give the same frame, whatever was compressed before. One thread at a time; lease it from a
// ResourcePool.
class ZstdCompressor {
 public:
  // `level` as zstd's: 1..19 (negative levels are the fast ones).
  explicit ZstdCompressor(int level);
  ~ZstdCompressor();
  ZstdCompressor(const ZstdCompressor&) = delete;
  ZstdCompressor& operator=(const ZstdCompressor&) = delete;

  // Room for the worst case.
  [[nodiscard]] static size_t FrameBound(size_t plain_size);
  // Writes one frame to the front of `out`, which has FrameBound(plain.size()) bytes. Gives its
  // size, or nothing when `stop` was requested meanwhile: high levels take seconds for a frame.
  std::optional<size_t> Compress(std::span<const std::byte> plain, std::span<std::byte> out,
                                 const std::stop_token& stop = {});
  // Appends one frame to `out`.
  void AppendFrame(std::span<const std::byte> plain, std::vector<std::byte>& out);

 private:
  std::optional<size_t> CompressInSlices(std::span<const std::byte> plain, std::span<std::byte> out,
                                         const std::stop_token& stop);

  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace sluice
