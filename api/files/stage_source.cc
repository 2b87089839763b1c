#include "api/files/stage_source.h"

#include <algorithm>
#include <fmt/format.h>

#include "api/files/sha256.h"
#include "io/file/file_system.h"

namespace sluice {
namespace {

class SharedBytesSource final : public ByteSource {
 public:
  explicit SharedBytesSource(std::shared_ptr<const std::string> bytes) : bytes_(std::move(bytes)) {}

  Result<size_t> Read(std::span<std::byte> buffer) override {
    const auto rest = AsBytes(*bytes_).subspan(used_);
    const auto part = rest.first(std::min(rest.size(), buffer.size()));
    std::ranges::copy(part, buffer.begin());
    used_ += part.size();
    return part.size();
  }

 private:
  const std::shared_ptr<const std::string> bytes_;
  size_t used_ = 0;
};

}  // namespace

Result<StageSource> SourceOfFile(const std::string& path) {
  const std::shared_ptr<FileSystem> files = MakePosixFileSystem();
  SLUICE_ASSIGN(const FileStat stat, files->Stat(path));
  if (!stat.is_regular) {
    return Fail(ErrorCode::kInput, fmt::format("'{}' is not a regular file", path));
  }
  StageSource source;
  source.open = [files, path]() -> Result<std::unique_ptr<ByteSource>> {
    SLUICE_ASSIGN(auto file, files->Open(path, OpenMode::kRead));
    return MakeFileSource(std::move(file));
  };
  source.size = stat.size;
  source.identity = fmt::format("file:{}:{}", stat.size, stat.mtime_ns);
  return source;
}

StageSource SourceOfBytes(std::string bytes) {
  const auto shared = std::make_shared<const std::string>(std::move(bytes));
  StageSource source;
  source.open = [shared]() -> Result<std::unique_ptr<ByteSource>> {
    return std::make_unique<SharedBytesSource>(shared);
  };
  source.size = shared->size();
  source.identity = "sha256:" + Sha256Hex(*shared);
  return source;
}

}  // namespace sluice
