#include "engine/answer_file.h"

namespace sluice {
namespace {

constexpr size_t kFrameBytes = size_t{1} << 20;
constexpr int kLevel = 1;  // numbers hardly compress better at a higher one

}  // namespace

Result<AnswerFile> AnswerFile::Create(FileSystem& files, const std::string& path) {
  SLUICE_TRY(files.MakeFolders(path.substr(0, path.rfind('/'))));
  SLUICE_ASSIGN(AtomicFile file, AtomicFile::Create(files, path));
  return AnswerFile(std::move(file));
}

AnswerFile::AnswerFile(AtomicFile file)
    : file_(std::move(file)), compressor_(std::make_unique<ZstdCompressor>(kLevel)) {}

Result<void> AnswerFile::Take(std::span<const std::byte> bytes) {
  plain_.insert(plain_.end(), bytes.begin(), bytes.end());
  return plain_.size() < kFrameBytes ? Result<void>{} : WriteFrame();
}

Result<void> AnswerFile::Commit() {
  SLUICE_TRY(WriteFrame());
  return file_.Commit();
}

Result<void> AnswerFile::WriteFrame() {
  frame_.clear();
  compressor_->AppendFrame(plain_, frame_);
  plain_.clear();
  return file_.Write(frame_);
}

}  // namespace sluice
