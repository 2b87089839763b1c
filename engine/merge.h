// Merge: the answers of one shard, in whatever order they come, to the rows of its range.
//
// One verdict for every ordinal of the range: a value, or a named failure. The first valid answer
// to a key counts; a later one is counted as a duplicate (same value) or a conflict (another
// value); keys that are not of this shard are strangers. Memory: a few bytes a row, and the blocks
// under way.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "api/protocol/line_protocol.h"
#include "engine/rows_by_text.h"
#include "engine/stage_times.h"
#include "io/base/error.h"
#include "io/corpus/corpus.h"
#include "io/record/ordinal.h"
#include "io/sink/sink.h"

namespace sluice {

struct MergeOptions {
  OrdinalRange range;
  int dimension = 0;  // every vector's length; 0 for generation
  bool normalize = false;
  size_t threads = 2;
  // What rows without an answer failed of, where it is known; else they are of class `missing`.
  std::optional<RowFailure> unanswered = {};
};

struct FailedRow {
  Ordinal row = 0;
  RowFailure failure = {};
  bool is_missing = false;  // one of MergeOutcome::missing
};

struct MergeOutcome {
  uint64_t ok = 0;
  std::vector<FailedRow> failed;  // sorted by row
  uint64_t missing = 0;           // of `failed`: no answer came
  uint64_t duplicates = 0;
  uint64_t conflicts = 0;
  std::optional<Ordinal> first_conflict;  // the smallest row that has one
  uint64_t strangers = 0;
  uint64_t malformed_lines = 0;  // not even a key could be told
  // Numbers in the vectors that count, and how many of them were not of the common form.
  uint64_t values = 0, general_values = 0;
  uint64_t shortened = 0;  // rows whose vector came longer than was asked for, and was cut
  uint64_t truncated = 0;  // rows of whose text the service embedded the beginning only
  // The sum of RowDigest() over the rows that are ok.
  uint64_t digest = 0;
  std::optional<int64_t> prompt_tokens;
  std::optional<int64_t> output_tokens;
};

// What ties a value to its row. Added up (modulo 2^64) over the rows of a shard it tells later,
// whatever the order they came in, whether the output still holds each value at its place. `value`:
// ChecksumOf() a vector's floats, or an answer's text.
[[nodiscard]] uint64_t RowDigest(Ordinal row, uint64_t value);

struct MergeEnvironment {
  const LineProtocol& protocol;
  StageTimes& times;
  std::stop_token stop;
  RowsByText* rows_by_text = nullptr;  // of the answers' requests; without, keys alone count
  std::function<void(std::string&)> cut_secrets_out = {};  // of what the service says of a row
};

// How answers are read: by MergeAnswers() and by nobody else.
[[nodiscard]] CorpusOptions AnswerReading(std::string spool_folder);

// Reads `answers` to their end and puts every row of the range into `sink`, which is not sealed
// here: the caller may want to fetch again when rows are missing.
[[nodiscard]] Result<MergeOutcome> MergeAnswers(Corpus& answers, const MergeOptions& options,
                                                MergeEnvironment& environment, ShardSink& sink);

// All rows of a shard whose job gave nothing.
[[nodiscard]] Result<MergeOutcome> FailAllRows(OrdinalRange range, const RowFailure& failure,
                                               ShardSink& sink);

// The length of most of the good vectors in the whole lines of `text`; nothing when there is none.
[[nodiscard]] std::optional<int> FindDimension(std::string_view text, const LineProtocol& protocol);

// A failure as the JSON object that sinks and reports carry.
[[nodiscard]] std::string FailureJson(const RowFailure& failure);

}  // namespace sluice
