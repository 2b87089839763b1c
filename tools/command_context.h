// What every command is given. A command prints its results by itself and returns the exit code, or
// the Error that RunCommandLine() prints.
#pragma once

#include "tools/arguments.h"
#include "tools/output.h"
#include "tools/signals.h"

namespace sluice {

struct CommandContext {
  const Arguments& arguments;
  const Console& console;
  Signals& signals;
};

}  // namespace sluice
