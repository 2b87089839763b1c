// Machine: what a figure was measured on.
#pragma once

#include <cstddef>
#include <string>

namespace sluice {

struct Machine {
  std::string processor;  // its name; empty where the kernel tells none
  size_t cpus = 0;        // that can be used
};

[[nodiscard]] Machine ThisMachine();

}  // namespace sluice
