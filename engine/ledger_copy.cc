#include "engine/ledger_copy.h"

#include <filesystem>

namespace sluice {

Result<LedgerCopy> LedgerCopy::Make(const std::string& ledger) {
  SLUICE_ASSIGN(TemporaryFolder folder, TemporaryFolder::Make("sluice-"));
  LedgerCopy copy(std::move(folder));
  std::error_code error;
  for (const char* ending : {"", "-wal"}) {
    const std::string from = ledger + ending;
    if (std::filesystem::exists(from, error) &&
        !std::filesystem::copy_file(from, copy.path() + ending, error)) {
      return std::unexpected(SystemError("copy", from, error.value()));
    }
  }
  return copy;
}

}  // namespace sluice
