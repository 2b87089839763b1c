// `sluice retry`.
#pragma once

#include "io/base/error.h"
#include "tools/command_context.h"

namespace sluice {

[[nodiscard]] Result<int> RetryCommand(const CommandContext& context);

}  // namespace sluice
