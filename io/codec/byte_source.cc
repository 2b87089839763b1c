#include "io/codec/byte_source.h"

#include <cerrno>
#include <unistd.h>
#include <utility>

namespace sluice {
namespace {

class FileSource final : public ByteSource {
 public:
  FileSource(std::unique_ptr<File> file, uint64_t offset)
      : file_(std::move(file)), offset_(offset) {}

  Result<size_t> Read(std::span<std::byte> buffer) override {
    SLUICE_ASSIGN(const size_t count, file_->ReadAt(offset_, buffer));
    offset_ += count;
    return count;
  }

 private:
  std::unique_ptr<File> file_;
  uint64_t offset_;
};

class StandardInputSource final : public ByteSource {
 public:
  Result<size_t> Read(std::span<std::byte> buffer) override {
    while (true) {
      const ssize_t count = read(STDIN_FILENO, buffer.data(), buffer.size());
      if (count >= 0) {
        return static_cast<size_t>(count);
      }
      if (errno != EINTR) {
        return std::unexpected(SystemError("read", "standard input", errno));
      }
    }
  }
};

}  // namespace

std::unique_ptr<ByteSource> MakeFileSource(std::unique_ptr<File> file, uint64_t offset) {
  return std::make_unique<FileSource>(std::move(file), offset);
}

std::unique_ptr<ByteSource> MakeStandardInputSource() {
  return std::make_unique<StandardInputSource>();
}

}  // namespace sluice
