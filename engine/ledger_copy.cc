#include "engine/ledger_copy.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace sluice {

Result<LedgerCopy> LedgerCopy::Make(const std::string& ledger) {
  std::error_code error;
  std::string pattern = (std::filesystem::temp_directory_path(error) / "sluice-XXXXXX").string();
  if (error || mkdtemp(pattern.data()) == nullptr) {
    return std::unexpected(
        SystemError("make a folder in", "$TMPDIR", error ? error.value() : errno));
  }
  LedgerCopy copy(pattern);
  for (const char* ending : {"", "-wal"}) {
    const std::string from = ledger + ending;
    if (std::filesystem::exists(from, error) &&
        !std::filesystem::copy_file(from, copy.path() + ending, error)) {
      return std::unexpected(SystemError("copy", from, error.value()));
    }
  }
  return copy;
}

LedgerCopy::~LedgerCopy() {
  if (!folder_.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
}

}  // namespace sluice
