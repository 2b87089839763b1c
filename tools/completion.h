// `sluice completion bash|zsh|fish`: what a shell needs to complete command lines of sluice, made
// from the option table.
#pragma once

#include <string>
#include <string_view>

#include "io/base/error.h"
#include "tools/command_context.h"

namespace sluice {

[[nodiscard]] Result<int> CompletionCommand(const CommandContext& context);

[[nodiscard]] std::string BashCompletion();
[[nodiscard]] std::string ZshCompletion();
[[nodiscard]] std::string FishCompletion();

// How a value is completed, told from what stands for it in the help ("FILE", "DIR", "a|b").
enum class ValueKind { kAnything, kWords, kFile, kFolder };
[[nodiscard]] ValueKind KindOfValue(std::string_view metavar);

// In the next word, or behind "=".
[[nodiscard]] bool TakesValue(const OptionSpec& option);

}  // namespace sluice
