#include "tools/bench/machine.h"

#include <fstream>
#include <string_view>
#include <thread>

namespace sluice {
namespace {

// Of the first one: all are taken to be alike.
std::string ProcessorName() {
  std::ifstream lines("/proc/cpuinfo");
  for (std::string line; std::getline(lines, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return {};
}

}  // namespace

Machine ThisMachine() {
  return {.processor = ProcessorName(), .cpus = std::thread::hardware_concurrency()};
}

}  // namespace sluice
