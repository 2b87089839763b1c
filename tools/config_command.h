// `sluice config show` and `sluice config path`: which settings hold, and where they come from.
#pragma once

#include "io/base/error.h"
#include "tools/command_context.h"

namespace sluice {

[[nodiscard]] Result<int> ConfigShowCommand(const CommandContext& context);
[[nodiscard]] Result<int> ConfigPathCommand(const CommandContext& context);

}  // namespace sluice
