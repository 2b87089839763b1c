// `sluice bench`: how fast each stage is on this machine, beside what bounds it there.
#pragma once

#include "io/base/error.h"
#include "tools/command_context.h"

namespace sluice {

[[nodiscard]] Result<int> BenchCommand(const CommandContext& context);
// `sluice bench generate`: something to measure with.
[[nodiscard]] Result<int> BenchGenerateCommand(const CommandContext& context);

}  // namespace sluice
