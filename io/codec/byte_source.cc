#include "io/codec/byte_source.h"

#include <cerrno>
#include <poll.h>
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
  explicit StandardInputSource(std::stop_token stop) : stop_(std::move(stop)) {}

  Result<size_t> Read(std::span<std::byte> buffer) override {
    while (true) {
      SLUICE_TRY(Await());
      const ssize_t count = read(STDIN_FILENO, buffer.data(), buffer.size());
      if (count >= 0) {
        return static_cast<size_t>(count);
      }
      if (errno != EINTR) {
        return std::unexpected(SystemError("read", "standard input", errno));
      }
    }
  }

 private:
  Result<void> Await() const {
    constexpr int kLookMs = 200;
    pollfd input = {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    // What poll() cannot tell is left to read().
    while (!stop_.stop_requested()) {
      if (!stop_.stop_possible() || poll(&input, 1, kLookMs) != 0) {
        return {};
      }
    }
    return Fail(ErrorCode::kUnfinished, "stopped while standard input was read");
  }

  const std::stop_token stop_;
};

}  // namespace

std::unique_ptr<ByteSource> MakeFileSource(std::unique_ptr<File> file, uint64_t offset) {
  return std::make_unique<FileSource>(std::move(file), offset);
}

std::unique_ptr<ByteSource> MakeStandardInputSource(std::stop_token stop) {
  return std::make_unique<StandardInputSource>(std::move(stop));
}

}  // namespace sluice
