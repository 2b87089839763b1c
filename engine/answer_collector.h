// AnswerCollector: brings the answers of one ended job into the sink: fetch, check, decode, place,
// seal. Restartable: doing it again for the same shard gives the same rows. Thread-safe; several
// shards may be collected at once.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "api/protocol/line_protocol.h"
#include "api/provider/provider.h"
#include "engine/job_plan.h"
#include "engine/ledger.h"
#include "engine/merge.h"
#include "engine/progress.h"
#include "engine/run_directory.h"
#include "engine/stage_times.h"
#include "io/base/error.h"
#include "io/file/file_system.h"
#include "io/record/ordinal.h"
#include "io/sink/sink.h"

namespace sluice {

class AnswerStream;

struct CollectOptions {
  std::string output;
  Task task = Task::kEmbed;
  int dimension = 0;  // as asked for, or as pinned by an earlier part of the run; 0: not known yet
  bool normalize = false;
  bool fail_on_error = false;  // the first failed row ends the run
  bool keep_answers = false;   // a copy of each job's answers stays in the run directory
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

  // When it returns, every row of the shard is in the sink and its failures are in
  // RunDirectory::shard_failures(), both durable.
  [[nodiscard]] Result<MergeCounts> Collect(const ShardTrack& track, OrdinalRange range,
                                            std::stop_token stop);

  // The pinned length of the vectors, 0 while it is not known or for generation.
  [[nodiscard]] int dimension();
  // The sink; opened when the dimension is known.
  [[nodiscard]] Result<Sink*> OpenSink();

 private:
  // One whole download, merged.
  struct Fetched {
    std::unique_ptr<ShardSink> sink;
    MergeOutcome outcome;
    uint64_t bytes = 0;
    std::string checksum;
  };

  [[nodiscard]] Result<MergeCounts> GiveUp(const ShardTrack& track, OrdinalRange range);
  [[nodiscard]] Result<std::optional<Fetched>> FetchOnce(const ShardTrack& track,
                                                         const BatchJob& job, OrdinalRange range,
                                                         std::stop_token stop);
  [[nodiscard]] Result<Fetched> MergeStream(const ShardTrack& track, AnswerStream& stream,
                                            OrdinalRange range, std::stop_token stop);
  [[nodiscard]] Result<void> PinDimension(AnswerStream& stream);
  [[nodiscard]] Result<std::unique_ptr<ShardSink>> OpenShardSink(OrdinalRange range);
  [[nodiscard]] Result<MergeCounts> Finish(const ShardTrack& track, const MergeOutcome& outcome,
                                           ShardSink& sink, uint64_t answer_bytes);
  [[nodiscard]] Result<void> WriteFailures(const ShardTrack& track, const MergeOutcome& outcome);

  CollectOptions options_;
  CollectEnvironment environment_;
  std::mutex mutex_;  // guards the dimension and the sink
  std::unique_ptr<Sink> sink_;
};

}  // namespace sluice
