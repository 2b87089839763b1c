#include "engine/run_directory.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <utility>

#include "io/base/clock.h"

namespace sluice {
namespace {

// The whole file, exclusively; bound to the open descriptor, not to the process (F_OFD_*).
struct flock WholeFile() {
  struct flock whole = {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  return whole;
}

std::string OwnerOf(int descriptor) {
  char text[256];
  const ssize_t count = pread(descriptor, text, sizeof(text), 0);
  const std::string owner(text, count > 0 ? static_cast<size_t>(count) : 0);
  return owner.substr(0, owner.find('\n'));
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
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) {
    return std::unexpected(SystemError("open", path, errno));
  }
  RunLock lock(descriptor);
  struct flock whole = WholeFile();
  if (fcntl(descriptor, F_OFD_SETLK, &whole) != 0) {
    return Fail(ErrorCode::kLocked,
                fmt::format("another sluice works on this run ({})", OwnerOf(descriptor)),
                "wait for it, or stop it; what it has done is kept");
  }
  const std::string owner =
      fmt::format("process {} since {}\n", getpid(), FormatTime(std::chrono::system_clock::now()));
  if (ftruncate(descriptor, 0) != 0 ||
      pwrite(descriptor, owner.data(), owner.size(), 0) != static_cast<ssize_t>(owner.size())) {
    return std::unexpected(SystemError("write", path, errno));
  }
  return lock;
}

bool RunLock::IsHeld(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) {
    return false;
  }
  const RunLock probe(descriptor);
  struct flock whole = WholeFile();
  return fcntl(descriptor, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

RunLock::RunLock(RunLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

RunLock::~RunLock() {
  if (descriptor_ >= 0) {
    close(descriptor_);
  }
}

Result<void> RunDirectory::Make(FileSystem& files) const {
  SLUICE_TRY(files.MakeFolders(folder_));
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
  return RemoveFilesBelow(files, folder_, lock());
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
