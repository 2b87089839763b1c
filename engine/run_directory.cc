#include "engine/run_directory.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
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

Error Locked(int descriptor) {
  return {.code = ErrorCode::kLocked,
          .message = fmt::format("another sluice works on this run ({})", OwnerOf(descriptor)),
          .hint = "wait for it, or stop it; what it has done is kept"};
}

Result<void> RemoveFilesBelow(FileSystem& files, const std::string& folder,
                              const std::string& keep) {
  SLUICE_ASSIGN(const auto names, files.List(folder));
  for (const std::string& name : names) {
    const std::string path = folder + "/" + name;
    SLUICE_ASSIGN(const FileStat stat, files.Stat(path));
    if (stat.is_folder) {
      SLUICE_TRY(RemoveFilesBelow(files, path, keep));
    } else if (path != keep) {
      SLUICE_TRY(files.Remove(path));
    }
  }
  return {};
}

// "00007", and "00007.r1" for the first time that failed rows are asked again.
std::string RoundName(uint32_t shard, int round) {
  return round == 0 ? fmt::format("{:05}", shard) : fmt::format("{:05}.r{}", shard, round);
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
    return lock;
  }
  if (errno != EAGAIN && errno != EACCES) {
    return std::unexpected(SystemError("lock", path, errno));
  }
  return std::unexpected(Locked(lock.descriptor_));
}

bool RunLock::IsHeld(const std::string& path) { return !RequireFree(path).has_value(); }

Result<void> RunLock::RequireFree(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) {
    return {};
  }
  const RunLock probe(descriptor);
  // Only a writer is in the way of reading.
  struct flock whole = WholeFile(F_RDLCK);
  if (fcntl(descriptor, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK) {
    return std::unexpected(Locked(descriptor));
  }
  return {};
}

RunLock::RunLock(RunLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      is_ours_(std::exchange(other.is_ours_, false)) {}

RunLock& RunLock::operator=(RunLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(is_ours_, other.is_ours_);
  return *this;
}

RunLock::~RunLock() {
  if (descriptor_ < 0) {
    return;
  }
  if (is_ours_) {
    // Nobody holds it now; best effort, because the lock itself is what counts.
    std::ignore = ftruncate(descriptor_, 0);
  }
  close(descriptor_);
}

Result<void> RunDirectory::Make(FileSystem& files) const {
  SLUICE_TRY(files.MakeFolders(folder_));
  // SQLite follows links; all other files are opened by ourselves.
  for (const char* ending : {"", "-wal", "-shm", "-journal"}) {
    const std::string path = ledger() + ending;
    if (files.Exists(path)) {
      const Result<FileStat> stat = files.Stat(path);
      if (!stat.has_value() || !stat->is_regular || stat->is_link) {
        return Fail(ErrorCode::kUsage, fmt::format("'{}' is no file of its own", path),
                    "a run folder holds no links: use another one");
      }
    }
  }
  SLUICE_TRY(files.MakeFolders(shards()));
  return files.MakeFolders(work());
}

Result<void> RunDirectory::ExpectRun(FileSystem& files) const {
  if (!files.Exists(ledger())) {
    return Fail(ErrorCode::kUsage, fmt::format("'{}' is not a run directory", folder_),
                "name it with -C DIR; `sluice run` makes OUTPUT.sluice");
  }
  return {};
}

Result<void> RunDirectory::Clear(FileSystem& files) const {
  // The ledger first: what a kill leaves without one is refused by ExpectLedger().
  SLUICE_TRY(files.Remove(ledger()));
  SLUICE_TRY(files.SyncFolderOf(ledger()));
  return RemoveFilesBelow(files, folder_, lock());
}

Result<void> RunDirectory::ClearWork(FileSystem& files) const {
  SLUICE_TRY(RemoveFilesBelow(files, work(), {}));
  SLUICE_ASSIGN(const auto folders, files.List(work()));
  for (const std::string& name : folders) {
    SLUICE_TRY(files.Remove(work() + "/" + name));
  }
  return {};
}

Result<void> RunDirectory::ExpectLedger(FileSystem& files, bool has_settings) const {
  if (has_settings || !files.Exists(manifest())) {
    return {};
  }
  return Fail(ErrorCode::kIo,
              fmt::format("'{}' holds a run without its ledger, which knows its jobs", folder_),
              "put ledger.db back, or start over with --fresh (jobs that exist are paid again)");
}

std::string RunDirectory::answers(uint32_t shard, int round) const {
  return fmt::format("{}/answers/{}.jsonl.zst", folder_, RoundName(shard, round));
}

std::string RunDirectory::shard_failures(uint32_t shard, int round) const {
  return fmt::format("{}/{}.failures.jsonl", work(), RoundName(shard, round));
}

std::string RunDirectory::RequestFileName(uint32_t shard, int round, bool compressed) {
  return fmt::format("{}.jsonl{}", RoundName(shard, round), compressed ? ".zst" : "");
}

}  // namespace sluice
