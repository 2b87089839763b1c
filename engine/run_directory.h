// RunDirectory: the folder that holds everything a run knows. engine/run_lock.h makes it ours.
// Names are listed in docs/formats.md. Immutable after it was opened; thread-safe.
#pragma once

#include <string>

#include "io/base/error.h"
#include "io/file/file_system.h"

namespace sluice {

class RunDirectory {
 public:
  explicit RunDirectory(std::string folder) : folder_(std::move(folder)) {}

  // Whether it is a run's, or may become one: nothing is in it that no run made. Errors: kUsage.
  [[nodiscard]] Result<void> ExpectOwn(FileSystem& files) const;
  // Makes the folders that are not there. Errors: kUsage when it is not its own (ExpectOwn()), or
  // the ledger or a folder in it is a link to elsewhere.
  [[nodiscard]] Result<void> Make(FileSystem& files) const;
  // Errors: kUsage when it is no run's folder.
  [[nodiscard]] Result<void> ExpectRun(FileSystem& files) const;
  // Removes everything that runs make in it but the lock, which the caller holds. What else is
  // there stays, and so does what links lead to.
  [[nodiscard]] Result<void> Clear(FileSystem& files) const;
  // Removes what killed attempts left under way; for a run that is complete.
  [[nodiscard]] Result<void> ClearWork(FileSystem& files) const;
  // Settings are pinned in the ledger before the manifest is made. Errors: kInput when there is a
  // manifest but no settings: the ledger was lost, and nobody knows what was paid.
  [[nodiscard]] Result<void> ExpectLedger(FileSystem& files, bool has_settings) const;

  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] std::string lock() const { return folder_ + "/lock"; }
  [[nodiscard]] std::string ledger() const { return folder_ + "/ledger.db"; }
  [[nodiscard]] std::string manifest() const { return folder_ + "/manifest.jsonl"; }
  [[nodiscard]] std::string content() const { return folder_ + "/content.jsonl"; }
  [[nodiscard]] std::string ids() const { return folder_ + "/ids.jsonl"; }
  [[nodiscard]] std::string rejects() const { return folder_ + "/rejects.jsonl"; }
  [[nodiscard]] std::string rejects_spool() const { return folder_ + "/rejects"; }
  [[nodiscard]] std::string failures() const { return folder_ + "/failures.jsonl"; }
  [[nodiscard]] std::string report() const { return folder_ + "/report.json"; }
  [[nodiscard]] std::string shards() const { return folder_ + "/shards"; }
  [[nodiscard]] std::string shard(const std::string& file) const { return shards() + "/" + file; }
  [[nodiscard]] std::string work() const { return folder_ + "/work"; }
  // Of a round (engine/shard_track.h): the answers, when they are kept, the rows that have no value
  // after it, and from round 1 on the name of the request file in shards().
  [[nodiscard]] std::string answers(uint32_t shard, int round) const;
  [[nodiscard]] std::string shard_failures(uint32_t shard, int round) const;
  [[nodiscard]] static std::string RequestFileName(uint32_t shard, int round, bool compressed);

 private:
  std::string folder_;
};

}  // namespace sluice
