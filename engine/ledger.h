// Ledger: the run's truth about jobs, in SQLite. An intent stands in it, durably, before the effect
// leaves; a fact after it. The only place that knows SQLite. One thread at a time. Errors of all
// members, where nothing else is said: kInput when the file is found damaged, kIo.
//
// Every step of a shard is checked against the table in engine/shard_track.h before it is written,
// in release builds too: a wrong one stops the process.
//
// Settings (docs/formats.md has the schema): WAL, synchronous=FULL, because WAL with NORMAL may
// lose a committed transaction at a power cut, and with it the knowledge that a job was bought.
#pragma once

#include <cstdint>
#include <fmt/format.h>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/batches/create_job.h"
#include "engine/ledger_copy.h"
#include "engine/ledger_entries.h"
#include "engine/merge_counts.h"
#include "engine/shard_track.h"
#include "io/base/error.h"

struct sqlite3;

namespace sluice {

// A create request that was about to leave, and what became of it.
struct AttemptRecord {
  uint32_t shard = 0;
  int attempt = 0;
  std::string display_name;
  std::string outcome;  // "INTENT" until it is known
  std::string job;
  uint64_t rows = 0;  // asked for

  // Whether it is known for good if it made a job.
  [[nodiscard]] bool is_settled() const { return outcome != "INTENT" && outcome != "UNKNOWN"; }
};

// What became of an attempt, as far as its create request is concerned.
enum class AttemptOutcome {
  kCreated,
  kRefused,
  kNotSent,
  kUnknown,
  kDead,  // fenced: it made no job and never will
};
[[nodiscard]] AttemptOutcome OutcomeOf(CreateOutcome outcome);

// What the user allows the whole run to ask for. Nothing is no limit.
struct SpendCap {
  std::optional<uint64_t> jobs_max;
  std::optional<uint64_t> rows_max;  // asked for, retries included
};

// A job that carries a name of ours and that nobody asked for.
struct SurplusJob {
  std::string job;
  std::string display_name;
  std::string state;
};

class Ledger {
 public:
  // Makes the schema in a new file, and brings an older one up to date. Errors: kInput for a
  // damaged file, one that contradicts itself or holds what no sluice wrote, or one of a newer
  // version.
  [[nodiscard]] static Result<Ledger> Open(const std::string& path);
  // For looking on while another process writes, also where nothing can be written: then it is a
  // copy that is read. Errors: kInput for what no sluice wrote; kUsage for one that is still empty.
  [[nodiscard]] static Result<Ledger> OpenToRead(const std::string& path);

  // Entries (engine/ledger_entries.h); nothing for one that is not there.
  [[nodiscard]] Result<std::optional<std::string>> Get(const std::string& key);
  [[nodiscard]] Result<void> Set(const std::string& key, const std::string& value);

  // By shard.
  [[nodiscard]] Result<std::vector<ShardTrack>> Tracks();
  // Durable when it returns, as all writes here. A shard whose only merge is undone (from DONE back
  // to ENDED) loses its counts with it.
  [[nodiscard]] Result<void> Save(const ShardTrack& track);
  // Notes that a create request for this attempt is about to leave. A second intent for one attempt
  // stops the process unless the first one was definitely not acted upon. Errors: kBudget when the
  // job would pass `cap`; nothing is written then.
  [[nodiscard]] Result<void> SaveIntent(const ShardTrack& track, const std::string& display_name,
                                        const SpendCap& cap);
  // The outcome of the last attempt, and the track, in one transaction.
  [[nodiscard]] Result<void> SaveOutcome(const ShardTrack& track, AttemptOutcome outcome);
  // `counts` are of one round; those of the rounds before are added, but for the failed rows, which
  // are all that are left.
  [[nodiscard]] Result<void> SaveMerged(const ShardTrack& track, const MergeCounts& counts);
  // All tracks, and meta entries beside them (an empty value removes one), in one transaction.
  [[nodiscard]] Result<void> SaveAll(const std::vector<ShardTrack>& tracks,
                                     const std::map<std::string, std::string>& meta);
  [[nodiscard]] Result<void> SaveSurplus(const SurplusJob& surplus);

  // Of the shards that were merged, all rounds together.
  [[nodiscard]] Result<std::map<uint32_t, MergeCounts>> Merges();
  // By shard and attempt.
  [[nodiscard]] Result<std::vector<AttemptRecord>> Attempts();
  // SQLite's own look at the whole file. Errors: kInput saying what it found.
  [[nodiscard]] Result<void> CheckIntegrity();
  // The jobs that this run owns or owned.
  [[nodiscard]] Result<std::vector<std::string>> JobNames();
  [[nodiscard]] Result<std::vector<SurplusJob>> Surplus();

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  class Statement;
  explicit Ledger(sqlite3* database) : database_(database) {}

  static Result<Ledger> OpenAsItIs(const std::string& path);
  Result<void> Execute(const char* sql);
  Result<void> MakeCurrent();
  Result<void> CheckValues();
  Result<void> CheckRelations();
  // Errors: kInput with `fault` about the first shard that the statement finds.
  Result<void> ExpectNone(const char* shards, fmt::format_string<int64_t> fault);
  Result<int64_t> ReadVersion();
  Result<void> ExpectKnownVersion(const std::string& path) const;
  Result<std::optional<ShardTrack>> Find(uint32_t shard);
  Result<std::vector<ShardTrack>> Select(const std::string& where);
  Result<std::map<uint32_t, MergeCounts>> SelectMerges(const std::string& where);
  Result<void> Write(const ShardTrack& track);
  Result<void> CheckCap(const ShardTrack& track, const SpendCap& cap);
  Result<void> InTransaction(const std::function<Result<void>()>& write);
  Result<Statement> Prepare(const char* sql);
  Error Failure(const char* what) const;

  std::optional<LedgerCopy> copy_;  // of OpenToRead(): outlives the database that is in it
  std::unique_ptr<sqlite3, Close> database_;
  int64_t version_ = 0;
};

}  // namespace sluice
