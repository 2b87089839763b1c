// Preloaded (LD_PRELOAD) into a program, makes memory run out at one chosen moment: of the
// program's allocations, counted from the first line of main() on and over all threads, but not
// while a library is loaded, those from number SLUICE_FAIL_ALLOCATION on fail,
// SLUICE_FAIL_ALLOCATIONS (1) of them. With
// SLUICE_COUNT_ALLOCATIONS=FILE the program leaves there how many it made. For glibc, whose names
// it stands before.
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>

extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
}

namespace {

using Main = int (*)(int, char**, char**);

// What is set here is set before main() begins, with one thread.
Main real_main = nullptr;
unsigned long first_failing = 0;
unsigned long end_of_failing = 0;
std::atomic<bool> is_counting = false;
std::atomic<unsigned long> allocations = 0;

bool IsToFail() {
  if (!is_counting.load(std::memory_order_relaxed)) {
    return false;
  }
  const unsigned long number = allocations.fetch_add(1, std::memory_order_relaxed) + 1;
  const bool fails = number >= first_failing && number < end_of_failing;
  errno = fails ? ENOMEM : errno;
  return fails;
}

unsigned long NumberOf(const char* variable, unsigned long otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoul(text, nullptr, 10);
}

void LeaveCount() {
  is_counting = false;
  if (std::FILE* file = std::fopen(std::getenv("SLUICE_COUNT_ALLOCATIONS"), "w"); file != nullptr) {
    std::fprintf(file, "%lu\n", allocations.load());
    std::fclose(file);
  }
}

int CountingMain(int argc, char** argv, char** environment) {
  first_failing = NumberOf("SLUICE_FAIL_ALLOCATION", ~0UL);
  end_of_failing = first_failing + NumberOf("SLUICE_FAIL_ALLOCATIONS", 1);
  if (std::getenv("SLUICE_COUNT_ALLOCATIONS") != nullptr) {
    std::atexit(LeaveCount);
  }
  is_counting = true;
  return real_main(argc, argv, environment);
}

}  // namespace

extern "C" {

void* malloc(size_t size) { return IsToFail() ? nullptr : __libc_malloc(size); }
void* calloc(size_t count, size_t size) {
  return IsToFail() ? nullptr : __libc_calloc(count, size);
}
void* realloc(void* memory, size_t size) {
  return IsToFail() ? nullptr : __libc_realloc(memory, size);
}
void* memalign(size_t alignment, size_t size) {
  return IsToFail() ? nullptr : __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void** memory, size_t alignment, size_t size) {
  *memory = memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}

// What runs when a library is loaded is the library's own and may end the program (GnuTLS does).
void* dlopen(const char* file, int mode) {
  using Open = void* (*)(const char*, int);
  const auto open = reinterpret_cast<Open>(dlsym(RTLD_NEXT, "dlopen"));
  const bool was_counting = is_counting.exchange(false);
  void* const library = open(file, mode);
  is_counting = was_counting;
  return library;
}

int __libc_start_main(Main main, int argc, char** argv, void (*init)(), void (*fini)(),
                      void (*linker_fini)(), void* stack_end) {
  using Start = int (*)(Main, int, char**, void (*)(), void (*)(), void (*)(), void*);
  real_main = main;
  const auto start = reinterpret_cast<Start>(dlsym(RTLD_NEXT, "__libc_start_main"));
  return start(CountingMain, argc, argv, init, fini, linker_fini, stack_end);
}

}  // extern "C"
