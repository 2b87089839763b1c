// AnswerFile: the raw answers of one job, kept on request: joined zstd frames under their final
// name once the transfer was whole. One thread at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/answer_stream.h"
#include "io/base/error.h"
#include "io/codec/zstd.h"
#include "io/file/atomic_file.h"
#include "io/file/file_system.h"

namespace sluice {

class AnswerFile final : public AnswerKeeper {
 public:
  [[nodiscard]] static Result<AnswerFile> Create(FileSystem& files, const std::string& path);

  [[nodiscard]] Result<void> Take(std::span<const std::byte> bytes) override;
  [[nodiscard]] Result<void> Commit();

 private:
  explicit AnswerFile(AtomicFile file);
  [[nodiscard]] Result<void> WriteFrame();

  AtomicFile file_;
  std::unique_ptr<ZstdCompressor> compressor_;
  std::vector<std::byte> plain_;  // gathered for the next frame
  std::vector<std::byte> frame_;
};

}  // namespace sluice
