#include <csignal>
#include <cstdio>
#include <exception>
#include <fcntl.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/signals.h"
#include "tools/sluice.h"

namespace {

// Flat memory is a promise. By habit malloc keeps a heap for every thread and keeps what was freed
// in each of them; two heaps, and large buffers that go back to the system when they are freed,
// hold the peak to what is really in use at once.
void KeepMemoryFlat() {
  constexpr int kHeaps = 2;
  constexpr int kLargeBytes = 1 << 18;
  mallopt(M_ARENA_MAX, kHeaps);
  mallopt(M_MMAP_THRESHOLD, kLargeBytes);
  mallopt(M_TRIM_THRESHOLD, kLargeBytes);
}

// A process may be started with its standard descriptors closed. Then the first files that it opens
// would get their numbers, and messages would be printed into them.
void KeepStandardDescriptors() {
  int descriptor = 0;
  do {
    descriptor = open("/dev/null", O_RDWR);
  } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
  if (descriptor > STDERR_FILENO) {
    close(descriptor);
  }
}

// What a run keeps is nobody else's business, whichever library makes the file.
void KeepFilesPrivate() { umask(S_IRWXG | S_IRWXO); }

}  // namespace

// The last border of exceptions: what arrives here is a mistake of ours or no memory left.
int main(int argc, char** argv) {
  KeepStandardDescriptors();
  // Readers that are gone and limits on file sizes are errors of the calls that meet them.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  KeepMemoryFlat();
  KeepFilesPrivate();
  try {
    sluice::Signals signals;
    return sluice::RunCommandLine(argc, argv, signals);
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "error: unexpected: %s   (exit 1)\n", exception.what());
    return 1;
  }
}
