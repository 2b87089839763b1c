// AnswerCollector: brings the answers of one ended job into the sink: fetch, check, decode, place,
// seal. The job may have been asked for some of the shard's rows only; the others stay as they are.
// Restartable: doing it again for the same round gives the same rows. Thread-safe; several shards
// may be collected at once.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "api/protocol/line_protocol.h"
#include "api/provider/provider.h"
#include "engine/answer_stream.h"
#include "engine/failure_classes.h"
#include "engine/failures.h"
#include "engine/merge.h"
#include "engine/progress.h"
#include "engine/round_sink.h"
#include "engine/run_directory.h"
#include "engine/shard_disk.h"
#include "engine/stage_times.h"
#include "io/base/error.h"
#include "io/file/file_system.h"
#include "io/sink/sink.h"

namespace sluice {

struct CollectOptions {
  std::string output;
  Task task = Task::kEmbed;
  int dimension = 0;  // as asked for, or as pinned by an earlier part of the run; 0: not known yet
  bool normalize = false;
  bool fail_on_error = false;    // the first failed row that is not asked again ends the run
  FailureClasses retry_classes;  // of rows that may be asked again
  bool keep_answers = false;     // a copy of each job's answers stays in the run directory
  size_t threads = 2;
};

struct CollectEnvironment {
  FileSystem& files;
  Provider& provider;
  const LineProtocol& protocol;
  const RunDirectory& directory;
  Progress& progress;
  StageTimes& times;
};

class AnswerCollector {
 public:
  AnswerCollector(CollectOptions options, CollectEnvironment environment)
      : options_(std::move(options)), environment_(environment) {}

  // As ShardDisk::Collect(): the rows of the round are in the sink and those that have no value are
  // in RunDirectory::shard_failures(), both durable.
  [[nodiscard]] Result<Collected> Collect(const ShardTrack& track, const ShardEntry& entry,
                                          bool may_retry, const std::stop_token& stop);

  // The pinned length of the vectors, 0 while it is not known or for generation.
  [[nodiscard]] int dimension();
  // The sink; opened when the dimension is known.
  [[nodiscard]] Result<Sink*> OpenSink();

 private:
  // What is collected: a round of a shard.
  struct Round {
    const ShardTrack& track;
    std::string requests;  // the path of what was asked
    RoundRows rows;
    std::vector<FailedAnswer> failed_before;  // of the shard, in the rounds before
    bool may_retry = false;
    std::optional<RowFailure> unanswered;  // what rows without an answer get, if not `missing`
  };
  // One whole download, merged.
  struct Fetched {
    std::unique_ptr<ShardSink> sink;
    bool has_dimension = true;  // false: no vector was seen, and the rows went nowhere
    MergeOutcome outcome;
    AnswerStream::Fetched transfer;
  };

  [[nodiscard]] Result<BatchJob> AskForJob(const std::string& name, const std::stop_token& stop);
  [[nodiscard]] Result<Round> OpenRound(const ShardTrack& track, const ShardEntry& entry,
                                        bool may_retry);
  [[nodiscard]] Result<Collected> GiveUp(const Round& round);
  [[nodiscard]] Result<Collected> CollectAnswers(const Round& round, const BatchJob& job,
                                                 const std::stop_token& stop);
  // Of what came in place of the answers, again and again.
  [[nodiscard]] Error NotTheAnswersOf(const std::string& job, std::string begin) const;
  // Asked once for each time that all downloads lacked what the service counts.
  [[nodiscard]] bool IsShortForGood(const ShardTrack& track);
  [[nodiscard]] Result<std::optional<Fetched>> FetchOnce(const Round& round, const BatchJob& job,
                                                         std::stop_token stop);
  [[nodiscard]] Result<Fetched> MergeStream(const Round& round, AnswerStream& stream,
                                            std::stop_token stop);
  // False when no answer tells it.
  [[nodiscard]] Result<bool> PinDimension(AnswerStream& stream);
  [[nodiscard]] Result<std::unique_ptr<ShardSink>> OpenShardSink(const RoundRows& rows);
  [[nodiscard]] Result<Collected> Finish(const Round& round, const MergeOutcome& outcome,
                                         ShardSink& sink, uint64_t answer_bytes);
  [[nodiscard]] Result<void> CheckFailures(const Round& round, const MergeOutcome& outcome) const;

  CollectOptions options_;
  CollectEnvironment environment_;
  std::mutex pin_mutex_;  // one at a time waits for the answers that tell the dimension
  std::mutex mutex_;      // guards the dimension, the sink and the map
  std::unique_ptr<Sink> sink_;
  std::map<uint32_t, int> short_rounds_;  // by shard
};

}  // namespace sluice
