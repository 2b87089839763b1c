#include "tools/emulator/damage.h"

#include <cstddef>

namespace sluice {

Result<void> FlipOneBit(FileSystem& files, const std::string& path) {
  SLUICE_ASSIGN(const auto data, files.Open(path, OpenMode::kReadWrite));
  SLUICE_ASSIGN(const uint64_t size, data->Size());
  std::byte byte{};
  SLUICE_TRY(data->ReadAt(size / 2, {&byte, 1}));
  byte ^= std::byte{1};
  return data->WriteAt(size / 2, {&byte, 1});
}

}  // namespace sluice
