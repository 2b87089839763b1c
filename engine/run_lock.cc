#include "engine/run_lock.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <sys/file.h>
#include <thread>
#include <tuple>
#include <unistd.h>
#include <utility>

#include "io/base/clock.h"

namespace sluice {
namespace {

// The whole file; bound to the open descriptor, not to the process (F_OFD_*).
struct flock WholeFile(short type) {
  struct flock whole = {};
  whole.l_type = type;
  whole.l_whence = SEEK_SET;
  return whole;
}

std::string HostName() {
  std::array<char, 256> name = {};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "an unknown host";
}

// "sluice run": the program and its command, and nothing that may be private.
std::string CommandName() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string program;
  std::string command;
  std::getline(file, program, '\0');
  std::getline(file, command, '\0');
  program.erase(0, program.rfind('/') + 1);
  const bool is_word = !command.empty() && command.size() <= 20 &&
                       command.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == command.npos;
  return is_word ? program + " " + command : program;
}

std::string ReadOwner(int descriptor) {
  std::array<char, 512> text = {};
  const ssize_t count = pread(descriptor, text.data(), text.size(), 0);
  const std::string owner(text.data(), count > 0 ? static_cast<size_t>(count) : 0);
  return owner.substr(0, owner.find('\n'));
}

// Who holds the lock. It may have been taken this very moment, before the holder could say so.
std::string OwnerOf(int descriptor) {
  constexpr int kLooks = 20;
  std::string owner = ReadOwner(descriptor);
  for (int look = 1; look < kLooks && owner.empty(); ++look) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    owner = ReadOwner(descriptor);
  }
  return owner.empty() ? "it has only just begun, or reads it with `sluice verify`" : owner;
}

Error Locked(std::string_view owner) {
  return {.code = ErrorCode::kLocked,
          .message = fmt::format("another sluice works on this run ({})", owner),
          .hint = "wait for it, or stop it; what it has done is kept"};
}

// The folder itself is locked as well: the file can be deleted under its owner, and a new one of
// that name knows nothing of the old. Only a lock that is held counts, because not every file
// system can lock a folder. Gives the descriptor that holds the lock, or -1.
Result<int> LockFolderOf(const std::string& path, int operation) {
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor >= 0 && flock(descriptor, operation | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    close(descriptor);
    return std::unexpected(Locked("its file 'lock' was deleted"));
  }
  return descriptor;
}

}  // namespace

Result<RunLock> RunLock::Take(const std::string& path) {
  SLUICE_ASSIGN(RunLock lock, Open(path, O_RDWR | O_CREAT, F_WRLCK));
  const std::string owner =
      fmt::format("process {} on {} since {}: {}\n", getpid(), HostName(),
                  FormatTime(std::chrono::system_clock::now()), CommandName());
  lock.is_ours_ = true;
  if (ftruncate(lock.descriptor_, 0) != 0 || pwrite(lock.descriptor_, owner.data(), owner.size(),
                                                    0) != static_cast<ssize_t>(owner.size())) {
    return std::unexpected(SystemError("write", path, errno));
  }
  return lock;
}

Result<RunLock> RunLock::TakeToRead(const std::string& path) {
  return Open(path, O_RDONLY, F_RDLCK);
}

Result<RunLock> RunLock::Open(const std::string& path, int flags, short type) {
  const int opened = open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (opened < 0) {
    return std::unexpected(SystemError("open", path, errno));
  }
  RunLock lock(opened);
  if (opened <= STDERR_FILENO) {
    // With standard output closed, messages would be printed into the lock.
    lock = RunLock(fcntl(opened, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
    if (lock.descriptor_ < 0) {
      return std::unexpected(SystemError("open", path, errno));
    }
  }
  struct flock whole = WholeFile(type);
  if (fcntl(lock.descriptor_, F_OFD_SETLK, &whole) == 0) {
    SLUICE_ASSIGN(lock.folder_, LockFolderOf(path, type == F_WRLCK ? LOCK_EX : LOCK_SH));
    return lock;
  }
  if (errno != EAGAIN && errno != EACCES) {
    return std::unexpected(SystemError("lock", path, errno));
  }
  return std::unexpected(Locked(OwnerOf(lock.descriptor_)));
}

bool RunLock::IsHeld(const std::string& path) { return !RequireFree(path).has_value(); }

Result<void> RunLock::RequireFree(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  RunLock probe(descriptor);
  if (descriptor < 0) {
    SLUICE_ASSIGN(probe.folder_, LockFolderOf(path, LOCK_SH));
    return {};
  }
  // Only a writer is in the way of reading.
  struct flock whole = WholeFile(F_RDLCK);
  if (fcntl(descriptor, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK) {
    return std::unexpected(Locked(OwnerOf(descriptor)));
  }
  return {};
}

RunLock::RunLock(RunLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      folder_(std::exchange(other.folder_, -1)),
      is_ours_(std::exchange(other.is_ours_, false)) {}

RunLock& RunLock::operator=(RunLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(folder_, other.folder_);
  std::swap(is_ours_, other.is_ours_);
  return *this;
}

RunLock::~RunLock() {
  if (is_ours_) {
    // Nobody holds it now; best effort, because the lock itself is what counts.
    std::ignore = ftruncate(descriptor_, 0);
  }
  for (const int descriptor : {folder_, descriptor_}) {
    if (descriptor >= 0) {
      close(descriptor);
    }
  }
}

}  // namespace sluice
