// Sink: takes the rows of shards in any order and promises them at Close().
//
// Every shard owns a contiguous range of rows, so shards are written independently, each exactly
// once or again with the same result. Work files stand in `work_folder`, which must be on the file
// system of the output; the output bears its final name only after Close().
// A Sink is used by one thread at a time; several of its shards may be open at once, each put into
// by threads of its own, and all are sealed before Close(). The file system must outlive both.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/error.h"
#include "io/file/file_system.h"
#include "io/record/ordinal.h"

namespace sluice {

// The rows of one shard. Each row of the range is put exactly once, in any order, by several
// threads at once if need be. What a killed attempt left of the shard is overwritten.
class ShardSink {
 public:
  virtual ~ShardSink() = default;
  [[nodiscard]] virtual Result<void> PutVector(Ordinal row, std::span<const float> vector) = 0;
  // `answer` is a JSON object.
  [[nodiscard]] virtual Result<void> PutAnswer(Ordinal row, std::string_view answer) = 0;
  // A row without a value; `failure` is a JSON object with class and message.
  [[nodiscard]] virtual Result<void> PutFailure(Ordinal row, std::string_view failure) = 0;
  // Makes the rows durable. One thread, after all Puts.
  [[nodiscard]] virtual Result<void> Seal() = 0;
};

struct SinkOptions {
  std::string output;  // final name
  std::string work_folder;
  int dimension = 0;   // of vectors; 0 for answers
  size_t threads = 2;  // that may work on a shard in Seal()
};

struct CloseRequest {
  uint64_t row_count = 0;         // rows put, failures included
  std::string ids_path;           // one line a row: {"row":..,"id":..,"file":..,"line":..}
  bool skip_failures = false;     // leave failed rows out and number the others anew
  std::vector<Ordinal> failures;  // sorted
};

// Failed rows with the reasons that stand in their place, for Reopen().
struct ReopenRequest {
  CloseRequest closed;                     // as Close() was called
  std::vector<OrdinalRange> shards;        // sorted, without gaps
  std::vector<std::string> failure_texts;  // of closed.failures: JSON objects as for PutFailure()
};

struct OutputFile {
  std::string path;
  uint64_t bytes = 0;
  uint64_t rows = 0;
};

class Sink {
 public:
  virtual ~Sink() = default;
  [[nodiscard]] virtual Result<std::unique_ptr<ShardSink>> OpenShard(OrdinalRange range) = 0;
  // Rows of a shard that was sealed before, to be put anew: only those of them that are put change.
  [[nodiscard]] virtual Result<std::unique_ptr<ShardSink>> OpenRows(OrdinalRange range) = 0;
  // Makes the work files of a closed output again, durably, from the output itself, which stays as
  // it is until the next Close(). Errors: kUsage for an output that is not what Close() wrote.
  [[nodiscard]] virtual Result<void> Reopen(const ReopenRequest& request) = 0;
  // Writes the final files; the first is the output itself. May be called again after a crash in
  // an earlier Close().
  [[nodiscard]] virtual Result<std::vector<OutputFile>> Close(const CloseRequest& request) = 0;
  // Throws the work files away, once the caller has noted that Close() succeeded.
  [[nodiscard]] virtual Result<void> RemoveWorkFiles() = 0;
};

// The format is told by the name of the output: ".npy" (vectors, float32, C order, and
// "<stem>.ids.jsonl" beside it), ".jsonl" (answers or vectors, one row a line). Errors: kUsage for
// another ending.
[[nodiscard]] Result<std::unique_ptr<Sink>> MakeSink(FileSystem& files, SinkOptions options);

// Whether the name of an output tells its format. Errors: kUsage.
[[nodiscard]] Result<void> ExpectOutputFormat(const std::string& output);

// Where the ids stand beside an array: "<stem>.ids.jsonl".
[[nodiscard]] std::string IdsPathOf(const std::string& output);

// Whether an output of that name could be written, before anything is done for it: the format is
// known, and its folder takes new files. Errors: kUsage, or what the folder says.
[[nodiscard]] Result<void> TryOutput(FileSystem& files, const std::string& output);

}  // namespace sluice
