// `sluice neighbors`: the nearest documents of a text or a row.
#pragma once

#include "io/base/error.h"
#include "tools/command_context.h"

namespace sluice {

[[nodiscard]] Result<int> NeighborsCommand(const CommandContext& context);

}  // namespace sluice
