// The name of a run at the service.
#pragma once

#include <string>

#include "engine/ledger.h"
#include "io/base/error.h"

namespace sluice {

// Twelve random hex digits that name this run at the service; made once.
[[nodiscard]] Result<std::string> RunId(Ledger& ledger);

}  // namespace sluice
