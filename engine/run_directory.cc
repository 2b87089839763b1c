#include "engine/run_directory.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace sluice {
namespace {

// What runs make in their folders, but for the lock. The manifest is removed last: a folder that
// has it is known for a run's.
constexpr std::array kFolders = {"shards", "work", "service", "rejects", "answers"};
constexpr std::array kFiles = {
    "ledger.db", "ledger.db-wal", "ledger.db-shm",  "ledger.db-journal", "content.jsonl",
    "ids.jsonl", "rejects.jsonl", "failures.jsonl", "report.json",       "manifest.jsonl"};

bool IsFolderOfRuns(const std::string& name) {
  return std::ranges::find(kFolders, name) != kFolders.end();
}

bool IsMadeByRuns(const std::string& name) {
  return IsFolderOfRuns(name) || std::ranges::find(kFiles, name) != kFiles.end();
}

// As RunLock leaves it: a line about its owner, or nothing.
bool IsLockOfARun(FileSystem& files, const std::string& path) {
  constexpr uint64_t kBytesMax = 512;
  const auto text = ReadWholeFile(files, path, kBytesMax);
  return text.has_value() && (text->empty() || text->starts_with("process "));
}

bool IsEmpty(FileSystem& files, const std::string& folder) {
  const auto names = files.List(folder);
  return names.has_value() && names->empty();
}

// A link goes itself, and what it leads to stays, whatever it leads to.
Result<void> RemoveFilesBelow(FileSystem& files, const std::string& folder) {
  SLUICE_ASSIGN(const auto names, files.List(folder));
  for (const std::string& name : names) {
    const std::string path = fmt::format("{}/{}", folder, name);
    const Result<FileStat> stat = files.Stat(path);
    const bool leads_nowhere = !stat.has_value() && stat.error().code == ErrorCode::kNotFound;
    if (!stat.has_value() && !leads_nowhere) {
      return std::unexpected(stat.error());
    }
    SLUICE_TRY(!leads_nowhere && stat->is_folder && !stat->is_link ? RemoveFilesBelow(files, path)
                                                                   : files.Remove(path));
  }
  return {};
}

std::unexpected<Error> NotOfItsOwn(const std::string& path, std::string_view what) {
  return Fail(ErrorCode::kUsage, fmt::format("'{}' is no {} of its own", path, what),
              "a run folder holds no links: use another one");
}

// Whether `path`, when it is there, is a folder, and no link to one.
Result<void> ExpectOwnFolder(FileSystem& files, const std::string& path) {
  if (!files.Exists(path)) {
    return {};
  }
  const Result<FileStat> stat = files.Stat(path);
  const bool is_own = stat.has_value() && stat->is_folder && !stat->is_link;
  return is_own ? Result<void>() : NotOfItsOwn(path, "folder");
}

Result<void> ExpectOwnFolders(FileSystem& files, const std::string& run_folder) {
  for (const char* name : kFolders) {
    SLUICE_TRY(ExpectOwnFolder(files, run_folder + "/" + name));
  }
  return {};
}

// "00007", and "00007.r1" for the first time that failed rows are asked again.
std::string RoundName(uint32_t shard, int round) {
  return round == 0 ? fmt::format("{:05}", shard) : fmt::format("{:05}.r{}", shard, round);
}

}  // namespace

Result<void> RunDirectory::ExpectOwn(FileSystem& files) const {
  const auto is_run = [&] { return files.Exists(ledger()) || files.Exists(manifest()); };
  if (!files.Exists(folder_) || is_run()) {
    return {};
  }
  SLUICE_ASSIGN(const auto names, files.List(folder_));
  const bool has_lock = IsLockOfARun(files, lock());
  for (const std::string& name : names) {
    const bool is_empty_folder = IsFolderOfRuns(name) && IsEmpty(files, folder_ + "/" + name);
    const bool is_first = is_empty_folder || name == "service" || name == "lock";
    // Another process may have begun its run while we looked: that is for the lock to say.
    if (!is_first && (!has_lock || IsMadeByRuns(name)) && !is_run()) {
      return Fail(ErrorCode::kUsage,
                  fmt::format("'{}' is no run folder, and not empty: it holds {:?}", folder_, name),
                  "a run wants a folder of its own: -C DIR, which is made when it is not there");
    }
  }
  return {};
}

Result<void> RunDirectory::Make(FileSystem& files) const {
  SLUICE_TRY(ExpectOwn(files));
  SLUICE_TRY(files.MakeFolders(folder_));
  // SQLite follows links; all other files are opened by ourselves.
  for (const char* ending : {"", "-wal", "-shm", "-journal"}) {
    const std::string path = ledger() + ending;
    if (files.Exists(path)) {
      const Result<FileStat> stat = files.Stat(path);
      if (!stat.has_value() || !stat->is_regular || stat->is_link) {
        return NotOfItsOwn(path, "file");
      }
    }
  }
  SLUICE_TRY(ExpectOwnFolders(files, folder_));
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
  SLUICE_TRY(ExpectOwnFolders(files, folder_));
  // The ledger first: what a kill leaves without one is refused by ExpectLedger().
  SLUICE_TRY(files.Remove(ledger()));
  SLUICE_TRY(files.SyncFolderOf(ledger()));
  for (const char* name : kFolders) {
    const std::string path = folder_ + "/" + name;
    SLUICE_TRY(files.Exists(path) ? RemoveFilesBelow(files, path) : Result<void>());
  }
  for (const char* name : kFiles) {
    SLUICE_TRY(files.Remove(folder_ + "/" + name));
  }
  return {};
}

Result<void> RunDirectory::ClearWork(FileSystem& files) const {
  SLUICE_TRY(ExpectOwnFolder(files, work()));
  SLUICE_TRY(RemoveFilesBelow(files, work()));
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
  return Fail(ErrorCode::kInput,
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
