#include "tools/emulator/state_file.h"

#include <fmt/format.h>

#include "tools/emulator/random_id.h"

namespace sluice {

namespace {

constexpr uint64_t kStateBytesMax = uint64_t{64} << 20;

}  // namespace

Result<void> ReplaceStateFile(FileSystem& files, const std::string& path, std::string_view text) {
  // Two threads may replace one document at once, so each writes beside it under its own name.
  const std::string temporary = fmt::format("{}.{}.tmp", path, RandomId(8));
  SLUICE_ASSIGN(auto file, files.Open(temporary, OpenMode::kCreate));
  SLUICE_TRY(file->Write(AsBytes(text)));
  return files.Rename(temporary, path);
}

Result<std::string> ReadStateFile(FileSystem& files, const std::string& path) {
  return ReadWholeFile(files, path, kStateBytesMax);
}

}  // namespace sluice
