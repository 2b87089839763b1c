#include <csignal>
#include <cstdio>
#include <exception>

#include "tools/signals.h"
#include "tools/sluice.h"

// The last border of exceptions: what arrives here is a mistake of ours or no memory left.
int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    sluice::Signals signals;
    return sluice::RunCommandLine(argc, argv, signals);
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "error: unexpected: %s   (exit 1)\n", exception.what());
    return 1;
  }
}
