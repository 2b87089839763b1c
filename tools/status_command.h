// `sluice status`: where a run stands, read from its folder.
#pragma once

#include "io/base/error.h"
#include "tools/command_context.h"

namespace sluice {

[[nodiscard]] Result<int> StatusCommand(const CommandContext& context);

}  // namespace sluice
