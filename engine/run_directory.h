// RunDirectory: the folder that holds everything a run knows, and the lock that makes it ours.
// Names are listed in docs/formats.md. Immutable after it was opened; thread-safe.
#pragma once

#include <memory>
#include <string>

#include "io/base/error.h"
#include "io/file/file_system.h"

namespace sluice {

// A kernel lock on an open descriptor: it ends with the process, whatever way that ends, so a dead
// owner never blocks. Holds a line that says who has it.
class RunLock {
 public:
  // Errors: kLocked, naming the owner.
  [[nodiscard]] static Result<RunLock> Take(const std::string& path);
  // True when a live process holds the lock.
  [[nodiscard]] static bool IsHeld(const std::string& path);
  RunLock(RunLock&& other) noexcept;
  RunLock& operator=(RunLock&& other) = delete;
  ~RunLock();

 private:
  explicit RunLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

class RunDirectory {
 public:
  explicit RunDirectory(std::string folder) : folder_(std::move(folder)) {}

  // Makes the folders that are not there.
  [[nodiscard]] Result<void> Make(FileSystem& files) const;
  // Errors: kUsage when it is no run's folder.
  [[nodiscard]] Result<void> ExpectRun(FileSystem& files) const;
  // Removes every file in it but the lock, which the caller holds.
  [[nodiscard]] Result<void> Clear(FileSystem& files) const;

  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] std::string lock() const { return folder_ + "/lock"; }
  [[nodiscard]] std::string ledger() const { return folder_ + "/ledger.db"; }
  [[nodiscard]] std::string manifest() const { return folder_ + "/manifest.jsonl"; }
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
