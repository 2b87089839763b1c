#include "io/corpus/content_read.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <unistd.h>
#include <vector>

#include "io/base/checksum.h"
#include "io/codec/byte_source.h"

namespace sluice {
namespace {

constexpr uint64_t kReadBytes = uint64_t{1} << 20;

}  // namespace

Result<std::string> ChecksumOfPart(FileSystem& files, const std::string& path, uint64_t from,
                                   uint64_t to) {
  SLUICE_ASSIGN(const std::unique_ptr<File> file, files.Open(path, OpenMode::kRead));
  std::vector<std::byte> buffer(static_cast<size_t>(std::min(to - from, kReadBytes)));
  Checksum checksum;
  while (from < to) {
    const auto wanted = static_cast<size_t>(std::min<uint64_t>(to - from, buffer.size()));
    SLUICE_ASSIGN(const size_t count, file->ReadAt(from, std::span(buffer).first(wanted)));
    if (count == 0) {
      return Fail(ErrorCode::kInput, fmt::format("'{}' ends at byte {} already", path, from));
    }
    checksum.Add(std::span(buffer).first(count));
    from += count;
  }
  return checksum.Hex();
}

Result<InputGiven> CompareStandardInput(const ContentRead& known, const std::stop_token& stop) {
  if (isatty(STDIN_FILENO) != 0) {
    return InputGiven::kNone;
  }
  const std::unique_ptr<ByteSource> source = MakeStandardInputSource(stop);
  std::vector<std::byte> buffer(kReadBytes);
  Checksum checksum;
  uint64_t size = 0;
  while (size <= known.to) {
    SLUICE_ASSIGN(const size_t count, source->Read(buffer));
    if (count == 0) {
      break;
    }
    checksum.Add(std::span(buffer).first(count));
    size += count;
  }
  if (size == 0) {
    return InputGiven::kNone;
  }
  return size == known.to && checksum.Hex() == known.checksum ? InputGiven::kSame
                                                              : InputGiven::kOther;
}

}  // namespace sluice
