// The parser of the command line. Knows the syntax only: names come from tools/option_table.h, the
// meaning is with each command.
#pragma once

#include <span>
#include <string>

#include "io/base/error.h"
#include "tools/arguments.h"

namespace sluice {

// `words` without the program's name. The environment is not read here. Errors: kUsage, with the
// nearest name for a mistyped one.
[[nodiscard]] Result<Arguments> ParseCommandLine(std::span<const std::string> words);

}  // namespace sluice
