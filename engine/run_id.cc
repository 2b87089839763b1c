#include "engine/run_id.h"

#include <fmt/format.h>
#include <random>

namespace sluice {

Result<std::string> RunId(Ledger& ledger) {
  SLUICE_ASSIGN(const auto known, ledger.Get(kRunIdKey));
  if (known.has_value()) {
    return *known;
  }
  constexpr uint64_t kMask = (uint64_t{1} << 48) - 1;
  std::random_device random;
  const uint64_t bits = (uint64_t{random()} << 32 | random()) & kMask;
  std::string run_id = fmt::format("{:012x}", bits);
  SLUICE_TRY(ledger.Set(kRunIdKey, run_id));
  return run_id;
}

}  // namespace sluice
