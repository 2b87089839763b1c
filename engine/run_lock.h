// RunLock: who works on a run. A kernel lock on an open descriptor: it ends with the process,
// whatever way that ends, so a dead owner never blocks. The file holds a line that says who has it:
// process, host, since when, and the command. The folder it lies in is locked with it, so that
// deleting the file lets nobody in.
#pragma once

#include <string>

#include "io/base/error.h"

namespace sluice {

class RunLock {
 public:
  // Never waits. Errors: kLocked, naming the owner.
  [[nodiscard]] static Result<RunLock> Take(const std::string& path);
  // Shared with other readers, and in the way of who wants to work; the file stays as it is.
  // Errors: kLocked, naming the owner; kIo, also when there is no such file.
  [[nodiscard]] static Result<RunLock> TakeToRead(const std::string& path);
  // True when a live process works on the run.
  [[nodiscard]] static bool IsHeld(const std::string& path);
  // The same, as an Error: kLocked, naming the owner.
  [[nodiscard]] static Result<void> RequireFree(const std::string& path);
  RunLock(RunLock&& other) noexcept;
  RunLock& operator=(RunLock&& other) noexcept;
  ~RunLock();

 private:
  explicit RunLock(int descriptor) : descriptor_(descriptor) {}
  [[nodiscard]] static Result<RunLock> Open(const std::string& path, int flags, short type);

  int descriptor_;
  int folder_ = -1;
  bool is_ours_ = false;  // to write in
};

}  // namespace sluice
