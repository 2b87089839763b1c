// `sluice emulate`: the local service, until it is stopped.
#pragma once

#include "io/base/error.h"
#include "tools/command_context.h"

namespace sluice {

[[nodiscard]] Result<int> EmulateCommand(const CommandContext& context);

}  // namespace sluice
