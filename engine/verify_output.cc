#include "engine/verify_output.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "engine/merge.h"
#include "engine/stage_times.h"
#include "engine/verify_failures.h"
#include "engine/verify_lines.h"
#include "engine/verify_rows.h"
#include "io/base/checksum.h"
#include "io/corpus/corpus.h"
#include "io/json/json_document.h"
#include "io/shard/shard_file.h"
#include "io/sink/npy_header.h"
#include "io/sink/sink.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

// The rows of one shard as they were found.
struct ShardRows {
  std::vector<std::optional<uint64_t>> values;  // checksums; nothing for a failure
  std::map<std::string, uint64_t> failed_by_class;
  uint64_t failed = 0;
  uint64_t digest = 0;
  bool is_whole = true;  // false when a file was given up on the way
};

// Takes the rows that the kept answers of one round decode to, and compares them with those that
// were found. A result counts for good; what fails in one of several rounds may not in another.
class ComparingSink final : public ShardSink {
 public:
  ComparingSink(OrdinalRange range, const ShardRows& rows, bool is_only_round)
      : range_(range), rows_(rows), is_only_round_(is_only_round) {}

  Result<void> PutVector(Ordinal row, std::span<const float> vector) override {
    return Compare(row, ChecksumOf(std::as_bytes(vector)));
  }
  Result<void> PutAnswer(Ordinal row, std::string_view answer) override {
    return Compare(row, ChecksumOf(AsBytes(answer)));
  }
  Result<void> PutFailure(Ordinal row, std::string_view) override {
    return is_only_round_ ? Compare(row, std::nullopt) : Result<void>{};
  }
  Result<void> Seal() override { return {}; }

  [[nodiscard]] std::optional<Ordinal> first_wrong() const { return first_wrong_; }

 private:
  Result<void> Compare(Ordinal row, std::optional<uint64_t> value) {
    const std::scoped_lock lock(mutex_);
    if (rows_.values[row - range_.first] != value && (!first_wrong_ || row < *first_wrong_)) {
      first_wrong_ = row;
    }
    return {};
  }

  OrdinalRange range_;
  const ShardRows& rows_;
  bool is_only_round_;
  std::mutex mutex_;
  std::optional<Ordinal> first_wrong_;
};

// What is the same for a complete run and for one that is under way.
class RowCheck {
 public:
  RowCheck(const VerifyInput& input, Findings& findings) : input_(input), findings_(findings) {}

  [[nodiscard]] const OutputCounts& counts() const { return counts_; }

 protected:
  [[nodiscard]] bool embeds() const { return input_.pinned.request.task == Task::kEmbed; }

  void AddFailure(const VerifiedFailure& failure, ShardRows& rows) {
    ++rows.failed;
    ++rows.failed_by_class[failure.failure_class];
    rows.values.emplace_back();
  }

  // A row that is there, beside the failure that it has or has not.
  void AddRow(Ordinal row, const VerifyRow& found, const std::optional<VerifiedFailure>& failure,
              const std::string& name, ShardRows& rows) {
    if (!found.is_there) {
      rows.is_whole = false;
    } else if (found.is_failure != failure.has_value()) {
      findings_.AddProblem(fmt::format("{}, row {}", name, row),
                           found.is_failure ? "is a failure of which nothing is noted"
                                            : "is a result, but was noted as failed");
    } else if (failure.has_value() && !found.error.empty() && found.error != failure->error) {
      findings_.AddProblem(fmt::format("{}, row {}", name, row),
                           fmt::format("failed with {}, noted is {}", Excerpt(found.error),
                                       Excerpt(failure->error)));
    }
    if (failure.has_value()) {
      AddFailure(*failure, rows);
    } else {
      rows.values.emplace_back(found.value);
      rows.digest += RowDigest(row, found.value);
    }
  }

  // What the merge of the shard noted.
  Result<void> CheckShard(const ShardEntry& shard, const std::string& name, const ShardRows& rows) {
    const uint64_t missing =
        rows.failed_by_class.contains("missing") ? rows.failed_by_class.at("missing") : 0;
    counts_.results += shard.range.count - rows.failed;
    counts_.failed += rows.failed - missing;
    counts_.missing += missing;
    ++counts_.shards_merged;
    const auto noted = input_.merges.find(shard.shard);
    if (noted == input_.merges.end() || !rows.is_whole) {
      return {};
    }
    const MergeCounts& merge = noted->second;
    const std::string where = fmt::format("{}, rows {} to {} (shard {})", name, shard.range.first,
                                          shard.range.end() - 1, shard.shard);
    if (rows.failed_by_class != merge.failed_by_class) {
      findings_.AddProblem(where, fmt::format("failures by class are {}, the ledger says {}",
                                              Json(rows.failed_by_class).dump(),
                                              Json(merge.failed_by_class).dump()));
    } else if (merge.digest.has_value() && *merge.digest != rows.digest) {
      findings_.AddProblem(where, "a value is not what its answer gave, or not in its place");
    }
    return input_.compares_answers ? CheckAnswers(shard, name, rows, merge) : Result<void>{};
  }

 private:
  Result<void> CheckAnswers(const ShardEntry& shard, const std::string& name, const ShardRows& rows,
                            const MergeCounts& noted) {
    const auto track = std::ranges::find(input_.tracks, shard.shard, &ShardTrack::shard);
    const int last_round = track == input_.tracks.end() ? 0 : track->round;
    uint64_t found = 0;
    for (int round = 0; round <= last_round; ++round) {
      const std::string path = input_.directory.answers(shard.shard, round);
      if (!input_.files.Exists(path)) {
        continue;
      }
      ++found;
      ComparingSink sink(shard.range, rows, last_round == 0);
      const std::string file = path.substr(input_.directory.folder().size() + 1);
      SLUICE_ASSIGN(const auto outcome, DecodeAnswers(shard, path, file, sink));
      if (!outcome.has_value()) {
        continue;
      }
      ++counts_.answers_compared;
      if (sink.first_wrong().has_value()) {
        findings_.AddProblem(fmt::format("{}, row {}", name, *sink.first_wrong()),
                             fmt::format("is not what {} gives", file));
      }
      if (last_round == 0) {
        CompareCounts(file, *outcome, noted);
      }
    }
    if (found < noted.answers_kept) {
      findings_.AddProblem(
          fmt::format("answers/{:05}*", shard.shard),
          fmt::format("{} files of answers were kept, {} are there", noted.answers_kept, found));
    }
    return {};
  }

  // Nothing when they cannot be read, which is noted.
  Result<std::optional<MergeOutcome>> DecodeAnswers(const ShardEntry& shard,
                                                    const std::string& path,
                                                    const std::string& file, ShardSink& sink) {
    auto source = OpenShard(input_.files, path);
    if (!source.has_value()) {
      findings_.AddProblem(file, source.error().message);
      return std::nullopt;
    }
    const auto answers =
        OpenLineStream(input_.files, std::move(*source), file, AnswerReading(std::string()));
    StageTimes times;
    RowsByText rows_by_text(input_.files, input_.protocol, input_.directory.shard(shard.file));
    MergeEnvironment environment{.protocol = input_.protocol,
                                 .times = times,
                                 .stop = input_.stop,
                                 .rows_by_text = &rows_by_text};
    Result<MergeOutcome> outcome = MergeAnswers(*answers,
                                                {.range = shard.range,
                                                 .dimension = embeds() ? input_.dimension : 0,
                                                 .normalize = input_.pinned.normalize},
                                                environment, sink);
    if (outcome.has_value()) {
      return *std::move(outcome);
    }
    if (outcome.error().code == ErrorCode::kUnfinished) {
      return std::unexpected(outcome.error());
    }
    findings_.AddProblem(file, outcome.error().message);
    return std::nullopt;
  }

  void CompareCounts(const std::string& file, const MergeOutcome& outcome,
                     const MergeCounts& noted) {
    if (outcome.ok == noted.ok && outcome.failed.size() == noted.failed &&
        outcome.duplicates == noted.duplicates && outcome.conflicts == noted.conflicts &&
        outcome.strangers == noted.strangers && outcome.malformed_lines == noted.malformed_lines) {
      return;
    }
    findings_.AddProblem(
        file,
        fmt::format("gives {} results, {} failures, {} duplicates, {} conflicts and {} "
                    "unknown lines; the ledger says {}, {}, {}, {} and {}",
                    outcome.ok, outcome.failed.size(), outcome.duplicates, outcome.conflicts,
                    outcome.strangers + outcome.malformed_lines, noted.ok, noted.failed,
                    noted.duplicates, noted.conflicts, noted.strangers + noted.malformed_lines));
  }

 protected:
  const VerifyInput& input_;
  Findings& findings_;
  OutputCounts counts_;
};

// Of a run that is under way: the merged shards, whose rows wait in the work folder.
class WorkCheck final : public RowCheck {
 public:
  using RowCheck::RowCheck;

  Result<void> Run() {
    for (const ShardTrack& track : input_.tracks) {
      if (!IsMerged(track) || track.shard >= input_.manifest.shards().size()) {
        continue;
      }
      if (input_.stop.stop_requested()) {
        return Fail(ErrorCode::kUnfinished, "stopped before all was looked at");
      }
      SLUICE_TRY(CheckMerged(input_.manifest.shards()[track.shard], track.round));
    }
    return {};
  }

 private:
  Result<void> CheckMerged(const ShardEntry& shard, int round) {
    const OrdinalRange range = shard.range;
    const std::string path = input_.directory.shard_failures(shard.shard, round);
    VerifyFailures failures(input_.files, path, path.substr(input_.directory.folder().size() + 1),
                            false, findings_);
    std::string name;
    const auto source = OpenRows(range, name);
    ShardRows rows;
    rows.values.reserve(range.count);
    for (Ordinal row = range.first; row < range.end(); ++row) {
      const auto failure = failures.Take(row, fmt::format("row {}", row));
      AddRow(row, source->Next({}), failure, name, rows);
    }
    failures.ExpectEnd();
    source->ExpectEnd();
    return CheckShard(shard, name, rows);
  }

  // A run that was stopped while it closed may have given the array its name already.
  std::unique_ptr<VerifyRows> OpenRows(OrdinalRange range, std::string& name) const {
    const bool is_array = input_.pinned.output.ends_with(".npy") && input_.dimension > 0;
    if (!is_array) {
      name = fmt::format("work/answers-{:012}.jsonl", range.first);
      return OpenLineRows(input_.files, fmt::format("{}/{}", input_.directory.folder(), name), name,
                          false, embeds(), findings_);
    }
    name = "work/rows.npy.part";
    std::string path = input_.directory.work() + "/rows.npy.part";
    if (!input_.files.Exists(path)) {
      name = input_.pinned.output;
      path = OutputPath(input_.directory, input_.pinned.output, input_.files);
    }
    return OpenArrayRows(input_.files, path, name, range.first, range.count, input_.dimension,
                         findings_);
  }
};

struct NotedOutput {
  std::string name;  // as the user named it
  std::string path;
  uint64_t bytes = 0;
  uint64_t rows = 0;
};

// Of a complete run.
class FinalCheck final : public RowCheck {
 public:
  using RowCheck::RowCheck;

  Result<void> Run() {
    if (!ReadNotes()) {
      return {};
    }
    for (const NotedOutput& output : outputs_) {
      CheckSize(output);
    }
    OpenFiles();
    for (const ShardEntry& shard : input_.manifest.shards()) {
      if (input_.stop.stop_requested()) {
        return Fail(ErrorCode::kUnfinished, "stopped before all was looked at");
      }
      SLUICE_TRY(CheckRowsOf(shard));
    }
    CheckEnds();
    return {};
  }

 private:
  bool ReadNotes() {
    try {
      for (const Json& output : ParseJson(input_.outputs)) {
        const std::string name = output.at("path");
        outputs_.push_back({.name = name,
                            .path = OutputPath(input_.directory, name, input_.files),
                            .bytes = output.at("bytes"),
                            .rows = output.at("rows")});
      }
    } catch (const Json::exception&) {
      outputs_.clear();
    }
    is_array_ = input_.pinned.output.ends_with(".npy");
    const bool is_whole = outputs_.size() == (is_array_ ? 2U : 1U) &&
                          outputs_.front().name == input_.pinned.output &&
                          outputs_.front().rows == outputs_.back().rows;
    if (!is_whole) {
      findings_.AddProblem("ledger.db", "does not say what the output of the complete run is");
    }
    return is_whole;
  }

  void CheckSize(const NotedOutput& output) {
    const auto stat = input_.files.Stat(output.path);
    if (!stat.has_value()) {
      findings_.AddProblem(output.name, stat.error().message);
    } else if (stat->size != output.bytes) {
      findings_.AddProblem(
          output.name, fmt::format("has {} bytes, the ledger says {}", stat->size, output.bytes));
    }
  }

  void OpenFiles() {
    const NotedOutput& output = outputs_.front();
    const uint64_t accepted = input_.manifest.position().next;
    skips_failures_ = output.rows < accepted;
    ids_.emplace(CheckedLines::Open(input_.files, input_.directory.ids(), "ids.jsonl", findings_));
    failures_.emplace(input_.files, input_.directory.failures(), "failures.jsonl", true, findings_);
    if (!is_array_) {
      rows_ = OpenLineRows(input_.files, output.path, output.name, true, embeds(), findings_);
      return;
    }
    const NotedOutput& ids = outputs_.back();
    output_ids_.emplace(CheckedLines::Open(input_.files, ids.path, ids.name, findings_));
    const uint64_t row_bytes = static_cast<uint64_t>(input_.dimension) * sizeof(float);
    CheckHeader(output);
    if (input_.dimension < 1 || output.bytes != kNpyHeaderBytes + output.rows * row_bytes) {
      findings_.AddProblem(output.name, fmt::format("{} rows of {} values do not make {} bytes",
                                                    output.rows, input_.dimension, output.bytes));
    }
    rows_ = OpenArrayRows(input_.files, output.path, output.name, 0, output.rows,
                          std::max(input_.dimension, 1), findings_);
  }

  void CheckHeader(const NotedOutput& output) {
    const auto file = input_.files.Open(output.path, OpenMode::kRead);
    std::string header(kNpyHeaderBytes, '\0');
    if (!file.has_value() ||
        !ReadExactly(**file, 0, std::as_writable_bytes(std::span(header))).has_value() ||
        header != FormatNpyHeader(output.rows, input_.dimension)) {
      findings_.AddProblem(output.name, fmt::format("does not begin as an array of {} x {} float32",
                                                    output.rows, input_.dimension));
    }
  }

  Result<void> CheckRowsOf(const ShardEntry& shard) {
    ShardRows rows;
    rows.values.reserve(shard.range.count);
    for (Ordinal row = shard.range.first; row < shard.range.end(); ++row) {
      const auto ids_line = ids_->Next("the document of a row");
      if (!ids_line.has_value()) {
        return {};
      }
      CheckRow(row, *ids_line, rows);
    }
    return CheckShard(shard, outputs_.front().name, rows);
  }

  void CheckRow(Ordinal row, std::string_view ids_line, ShardRows& rows) {
    const auto failure = failures_->Take(row, ids_line);
    if (failure.has_value() && skips_failures_) {
      AddFailure(*failure, rows);
      return;
    }
    const size_t digits_end = std::min(ids_line.find(','), ids_line.size());
    const std::string output_line =
        fmt::format("{{\"row\":{}{}", kept_, ids_line.substr(digits_end));
    if (output_ids_.has_value()) {
      output_ids_->Expect(output_line);
    }
    AddRow(row, rows_->Next(output_line), failure, outputs_.front().name, rows);
    ++kept_;
  }

  void CheckEnds() {
    failures_->ExpectEnd();
    rows_->ExpectEnd();
    if (output_ids_.has_value()) {
      output_ids_->ExpectEnd();
    }
    if (kept_ != outputs_.front().rows) {
      findings_.AddProblem(outputs_.front().name,
                           fmt::format("has {} rows, expected {}", outputs_.front().rows, kept_));
    }
  }

  std::vector<NotedOutput> outputs_;
  bool is_array_ = false;
  bool skips_failures_ = false;
  std::optional<CheckedLines> ids_;
  std::optional<CheckedLines> output_ids_;  // beside an array
  std::optional<VerifyFailures> failures_;
  std::unique_ptr<VerifyRows> rows_;
  uint64_t kept_ = 0;  // rows of the output so far
};

}  // namespace

std::string OutputPath(const RunDirectory& directory, const std::string& name, FileSystem& files) {
  const std::string base = name.substr(name.rfind('/') + 1);
  const std::string& folder = directory.folder();
  const size_t slash = folder.rfind('/');
  const std::string beside = slash == std::string::npos ? base : folder.substr(0, slash + 1) + base;
  const std::string stem = base.substr(0, base.find('.'));
  const bool is_beside = folder.substr(slash + 1).starts_with(stem) && files.Exists(beside);
  return is_beside ? beside : name;
}

Result<OutputCounts> CheckOutput(const VerifyInput& input, Findings& findings) {
  if (input.is_finished) {
    FinalCheck check(input, findings);
    SLUICE_TRY(check.Run());
    return check.counts();
  }
  WorkCheck check(input, findings);
  SLUICE_TRY(check.Run());
  return check.counts();
}

}  // namespace sluice
