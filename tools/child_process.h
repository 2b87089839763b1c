// A command as a process of its own, and what it cost.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "io/base/error.h"

namespace sluice {

struct ChildProcess {
  std::vector<std::string> words;        // the first is the path of the program
  std::vector<std::string> environment;  // "NAME=value", on top of ours
  bool keep_output = false;              // else standard output goes nowhere
};

struct EndedProcess {
  int exit_code = 0;  // 128 + the signal that killed it
  double seconds = 0;
  double cpu_seconds = 0;  // its children's, too
  std::string output;
};

// Runs it to its end, with nothing to read and our standard error. A stop kills it and all that it
// started. Errors: kIo when it cannot be started, kUnfinished when it was stopped.
[[nodiscard]] Result<EndedProcess> RunChild(const ChildProcess& child, std::stop_token stop);

// The program that runs.
inline constexpr const char* kOwnProgram = "/proc/self/exe";

}  // namespace sluice
