// The program behind main(): parses, finds the command, runs it, prints its error.
#pragma once

#include "tools/signals.h"

namespace sluice {

// Returns the exit code. `signals` was made before any other thread.
[[nodiscard]] int RunCommandLine(int argc, const char* const* argv, Signals& signals);

}  // namespace sluice
