// `sluice emulate`: the local service, until it is stopped.
#pragma once

#include <string>

#include "io/base/error.h"
#include "tools/command_context.h"

namespace sluice {

[[nodiscard]] Result<int> EmulateCommand(const CommandContext& context);

// The faults that --fault takes, one a line, for its help page.
[[nodiscard]] std::string FaultList();

}  // namespace sluice
