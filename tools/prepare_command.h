// `sluice prepare`: the pack step of a run alone.
#pragma once

#include "io/base/error.h"
#include "tools/command_context.h"

namespace sluice {

[[nodiscard]] Result<int> PrepareCommand(const CommandContext& context);

}  // namespace sluice
