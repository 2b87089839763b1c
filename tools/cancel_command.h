// `sluice cancel`.
#pragma once

#include "io/base/error.h"
#include "tools/command_context.h"

namespace sluice {

[[nodiscard]] Result<int> CancelCommand(const CommandContext& context);

}  // namespace sluice
