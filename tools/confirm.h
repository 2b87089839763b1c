// Asking before something is thrown away.
#pragma once

#include <string_view>

#include "io/base/error.h"
#include "tools/command_context.h"

namespace sluice {

// Goes on after -y, or after a yes on the terminal, which is not asked under --no-input. Anything
// else is `refusal`. Errors: kUnfinished when a signal came instead of an answer.
[[nodiscard]] Result<void> Confirm(const CommandContext& context, std::string_view question,
                                   Error refusal);

}  // namespace sluice
