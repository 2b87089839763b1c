// `sluice run`: corpus in, vectors or answers out.
#pragma once

#include "io/base/error.h"
#include "tools/command_context.h"

namespace sluice {

[[nodiscard]] Result<int> RunCommand(const CommandContext& context);

}  // namespace sluice
