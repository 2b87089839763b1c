#include "tools/bench_turns.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "io/json/json_document.h"
#include "tools/child_process.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

// One line of the table.
struct Entry {
  const BenchStage* stage;
  size_t threads;
};

std::vector<Entry> EntriesOf(const BenchOptions& options, const BenchInput& input) {
  std::vector<Entry> entries;
  for (const BenchStage* stage : options.stages) {
    const bool alone_too = stage->name == "pack" && input.threads > 1;
    if (alone_too) {
      entries.push_back({.stage = stage, .threads = 1});
    }
    entries.push_back({.stage = stage, .threads = stage->parallel ? input.threads : 1});
  }
  return entries;
}

// The same command line with what makes it one measurement; the last of two values holds.
std::vector<std::string> MeasuringWords(const CommandContext& context, const BenchInput& input,
                                        const Entry& entry) {
  const std::vector<std::string>& words = context.arguments.words;
  std::vector<std::string> all = {kOwnProgram};
  all.insert(all.end(), words.begin(), std::ranges::find(words, "--"));
  const std::vector<std::string> more = {
      "--measure", std::string(entry.stage->name), "--work", input.folder, "--corpus", input.corpus,
      "--threads", std::to_string(entry.threads)};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::optional<uint64_t> KnownDocuments(const Json& measured) {
  const auto found = measured.find("documents");
  return found == measured.end() ? std::nullopt : std::optional<uint64_t>(*found);
}

// Of a measurement that failed. It has said why.
ErrorCode ErrorOfOurs(int exit_code) {
  for (const ErrorCode code : {ErrorCode::kInput, ErrorCode::kIo, ErrorCode::kUsage}) {
    if (exit_code == ExitCode(code)) {
      return code;
    }
  }
  return ErrorCode::kInternal;
}

Result<StageMeasurement> MeasureApart(const CommandContext& context, const BenchInput& input,
                                      const Entry& entry) {
  SLUICE_ASSIGN(const EndedProcess ended, RunChild({.words = MeasuringWords(context, input, entry),
                                                    .environment = {},
                                                    .keep_output = true},
                                                   input.stop));
  const Json json = ParseJson(ended.output);
  if (ended.exit_code != 0 || !json.is_object()) {
    return Fail(ErrorOfOurs(ended.exit_code),
                fmt::format("'{}' could not be measured", entry.stage->name));
  }
  return StageMeasurement{.volume = {.bytes_in = json.at("bytes_in"),
                                     .bytes_out = json.at("bytes_out"),
                                     .documents = KnownDocuments(json)},
                          .seconds = json.at("seconds"),
                          .cpu_seconds = json.at("cpu_seconds"),
                          .peak_bytes = json.at("peak_bytes"),
                          .bound_seconds = json.at("bound_seconds")};
}

std::string ReplaceAll(std::string text, std::string_view what, const std::string& by) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

Result<void> TimeProcess(const ChildProcess& child, bool counts, const BenchInput& input,
                         BenchRacer& racer) {
  SLUICE_TRY(input.files.MakeFolders(input.scratch()));
  SLUICE_ASSIGN(const EndedProcess ended, RunChild(child, input.stop));
  if (ended.exit_code != 0) {
    const bool is_ours = child.words.front() == kOwnProgram;
    return Fail(is_ours ? ErrorOfOurs(ended.exit_code) : ErrorCode::kUsage,
                fmt::format("'{}' ended with exit code {}", racer.command, ended.exit_code),
                is_ours ? "" : std::string(kAgainstHint));
  }
  if (counts) {
    racer.seconds.push_back(ended.seconds);
    racer.cpu_seconds.push_back(ended.cpu_seconds);
  }
  return {};
}

}  // namespace

Result<std::vector<BenchRow>> MeasureInTurn(const CommandContext& context, const BenchInput& input,
                                            const BenchOptions& options) {
  const std::vector<Entry> entries = EntriesOf(options, input);
  std::vector<BenchRow> rows;
  rows.reserve(entries.size());
  for (const Entry& entry : entries) {
    rows.push_back({.stage = std::string(entry.stage->name),
                    .threads = entry.threads,
                    .bound = BoundName(*entry.stage, input),
                    .runs = {}});
  }
  for (int64_t run = 0; run <= options.runs; ++run) {
    context.console.Say(run == 0 ? "warming up...\n"
                                 : fmt::format("run {} of {}...\n", run, options.runs));
    for (size_t i = 0; i < entries.size(); ++i) {
      SLUICE_ASSIGN(const StageMeasurement measured, MeasureApart(context, input, entries[i]));
      if (run > 0) {
        rows[i].runs.push_back(measured);
      }
    }
  }
  return rows;
}

Result<BenchRace> RaceInTurn(const CommandContext& context, const BenchInput& input,
                             const BenchOptions& options) {
  const BenchStage& stage = *options.stages.front();
  const std::string path = PathOf(stage, input);
  std::vector<std::string> our_words =
      MeasuringWords(context, input, {.stage = &stage, .threads = input.threads});
  our_words.emplace_back("--no-bound");
  const ChildProcess ours{.words = std::move(our_words), .environment = {}};
  const ChildProcess theirs{
      .words = {"/bin/sh", "-c", ReplaceAll(options.against, "{}", QuoteForShell(path))},
      .environment = {"SLUICE_BENCH_INPUT=" + path, "SLUICE_BENCH_REQUESTS=" + input.requests(),
                      "SLUICE_BENCH_OUTPUT=" + input.scratch() + "/theirs"}};
  BenchRace race{.stage = std::string(stage.name), .ours = {}, .theirs = {}};
  race.ours.command = fmt::format("sluice {}", stage.name);
  race.theirs.command = options.against;
  for (int64_t run = 0; run <= options.runs; ++run) {
    context.console.Say(run == 0 ? "warming up...\n"
                                 : fmt::format("pair {} of {}...\n", run, options.runs));
    SLUICE_TRY(TimeProcess(ours, run > 0, input, race.ours));
    SLUICE_TRY(TimeProcess(theirs, run > 0, input, race.theirs));
  }
  return race;
}

}  // namespace sluice
