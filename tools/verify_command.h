// `sluice verify`: what a run left is looked at once more, from its files alone.
#pragma once

#include "io/base/error.h"
#include "tools/command_context.h"

namespace sluice {

[[nodiscard]] Result<int> VerifyCommand(const CommandContext& context);

}  // namespace sluice
