// FileSelection: which files of an account are meant by --orphans and --older-than. Pure, but for
// FindNeededFiles().
//
// An orphan is a file that can be deleted, that no batch job of the account names as its source or
// its result, that no run folder here keeps in its ledger, and that is at least an hour old, unless
// --older-than says another age: every job is created some time after its file was uploaded.
#pragma once

#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "api/client.h"
#include "io/base/clock.h"
#include "io/base/error.h"
#include "tools/arguments.h"

namespace sluice {

class FileSelection {
 public:
  // Errors: kUsage.
  [[nodiscard]] static Result<FileSelection> Read(const Arguments& arguments, WallTime now);

  [[nodiscard]] bool orphans_only() const { return orphans_only_; }
  // Neither flag was given.
  [[nodiscard]] bool takes_all() const { return !orphans_only_ && !made_before_; }
  // Whether the age is right and, when orphans are asked for, that the file can be one. A file that
  // does not say when it was made is of no age.
  [[nodiscard]] bool Accepts(const RemoteFile& file) const;

 private:
  bool orphans_only_ = false;
  std::optional<WallTime> made_before_;
};

// Result files cannot be deleted: their ids are longer than the 40 characters that the service lets
// through (googleapis/python-genai issue 1613, 2026).
[[nodiscard]] bool IsDeletable(const RemoteFile& file);

// The names of the files that a job of the account or a run needs. Runs are those of the folders
// *.sluice here and of `run_folders`. To be asked after the files were listed: what is uploaded
// later is then not among them, and what is listed has its job. Errors: those of the list call;
// kUsage for a folder that is no run's; kIo for a ledger that cannot be read.
[[nodiscard]] Result<std::set<std::string>> FindNeededFiles(
    const Batches& batches, const std::vector<std::string>& run_folders,
    const std::stop_token& stop);

}  // namespace sluice
