#include "tools/file_selection.h"

#include <filesystem>
#include <fmt/format.h>

#include "engine/ledger.h"
#include "engine/run_directory.h"
#include "tools/units.h"

namespace sluice {
namespace {

constexpr std::chrono::hours kOrphanAge{1};

Result<void> AddFilesOfJobs(const Batches& batches, const std::stop_token& stop,
                            std::set<std::string>& names) {
  PagedList<BatchJob> jobs = batches.ListAll({}, stop);
  while (true) {
    SLUICE_ASSIGN(const std::optional<BatchJob> job, jobs.Next());
    if (!job) {
      return {};
    }
    names.insert(job->source_file);
    names.insert(job->result_file);
  }
}

Result<void> AddFilesOfRun(const std::string& folder, std::set<std::string>& names) {
  SLUICE_ASSIGN(Ledger ledger, Ledger::OpenToRead(RunDirectory(folder).ledger()));
  SLUICE_ASSIGN(const std::vector<ShardTrack> tracks, ledger.Tracks());
  for (const ShardTrack& track : tracks) {
    names.insert(track.staged_file);
  }
  return {};
}

bool HasLedger(const std::string& folder) {
  std::error_code error;
  return std::filesystem::exists(RunDirectory(folder).ledger(), error);
}

std::vector<std::string> RunFoldersHere() {
  std::vector<std::string> folders;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(".", error)) {
    if (entry.path().extension() == ".sluice" && HasLedger(entry.path().string())) {
      folders.push_back(entry.path().string());
    }
  }
  return folders;
}

}  // namespace

Result<FileSelection> FileSelection::Read(const Arguments& arguments, WallTime now) {
  FileSelection selection;
  selection.orphans_only_ = arguments.Has("--orphans");
  SLUICE_ASSIGN(auto age, arguments.Duration("--older-than"));
  if (!age && selection.orphans_only_) {
    age = kOrphanAge;
  }
  if (age) {
    selection.made_before_ = now - *age;
  }
  return selection;
}

bool FileSelection::Accepts(const RemoteFile& file) const {
  if (orphans_only_ && !IsDeletable(file)) {
    return false;
  }
  if (!made_before_) {
    return true;
  }
  const auto made = ParseTime(file.create_time);
  return made && *made <= *made_before_;
}

bool IsDeletable(const RemoteFile& file) {
  constexpr std::string_view kPrefix = "files/";
  constexpr size_t kIdMax = 40;
  return file.source != "GENERATED" && file.name.size() <= kPrefix.size() + kIdMax;
}

Result<std::set<std::string>> FindNeededFiles(const Batches& batches,
                                              const std::vector<std::string>& run_folders,
                                              const std::stop_token& stop) {
  std::set<std::string> names;
  SLUICE_TRY(AddFilesOfJobs(batches, stop, names));
  for (const std::string& folder : run_folders) {
    if (!HasLedger(folder)) {
      return Fail(ErrorCode::kUsage, fmt::format("{} is no run folder", folder));
    }
    SLUICE_TRY(AddFilesOfRun(folder, names));
  }
  for (const std::string& folder : RunFoldersHere()) {
    SLUICE_TRY(AddFilesOfRun(folder, names));
  }
  return names;
}

}  // namespace sluice
