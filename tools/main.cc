#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <malloc.h>
#include <new>
#include <string_view>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <tuple>
#include <unistd.h>

#include "io/base/exhaustion.h"
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

// Started with standard streams closed, the next files and sockets to be opened would take their
// numbers, and messages would be printed into them. Each closed one becomes a stream that fails as
// a closed one does. A number that cannot be filled (no /dev/null) is left to those who open files.
void HoldStandardStreams() {
  for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; ++stream) {
    if (fcntl(stream, F_GETFD) < 0) {
      const int held = open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
      if (held > stream) {
        close(held);
      }
    }
  }
}

// The key is in memory: no other process of the user may look, and a crash leaves nothing of it on
// the disk.
void KeepMemoryPrivate() {
  constexpr rlimit kNone = {.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_CORE, &kNone);
  prctl(PR_SET_DUMPABLE, 0);
}

// What a run keeps is nobody else's business, whichever library makes the file.
void KeepFilesPrivate() { umask(S_IRWXG | S_IRWXO); }

// Gives the exit code.
int TellUnexpected(const std::exception& exception) {
  const sluice::Error error = sluice::ErrorOf(exception, "unexpected");
  const int code = sluice::ExitCode(error.code);
  std::fprintf(stderr, "error: %s\n%s   (exit %d)\n", error.message.c_str(), error.hint.c_str(),
               code);
  return code;
}

// Where no exception can pass (a destructor, the making of an Error itself), running out of memory
// or threads still ends as it does elsewhere: what is in the ledger stays, so any moment will do.
[[noreturn]] void EndAtOnce() {
  try {
    if (std::current_exception()) {
      throw;
    }
  } catch (const std::bad_alloc&) {
    for (const std::string_view part :
         {std::string_view("error: "), sluice::kExhausted, std::string_view("\nhint:  "),
          sluice::kExhaustedHint, std::string_view("\n")}) {
      std::ignore = write(STDERR_FILENO, part.data(), part.size());
    }
    _exit(sluice::ExitCode(sluice::ErrorCode::kIo));
  } catch (...) {
    __gnu_cxx::__verbose_terminate_handler();
  }
  std::abort();
}

}  // namespace

// The last border of exceptions: what arrives here is a mistake of ours, or no memory or no threads
// are left.
int main(int argc, char** argv) {
  std::set_terminate(EndAtOnce);
  HoldStandardStreams();
  // Readers that are gone and limits on file sizes are errors of the calls that meet them.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  KeepMemoryPrivate();
  KeepMemoryFlat();
  KeepFilesPrivate();
  try {
    sluice::Signals signals;
    return sluice::RunCommandLine(argc, argv, signals);
  } catch (const std::exception& exception) {
    return TellUnexpected(exception);
  }
}
