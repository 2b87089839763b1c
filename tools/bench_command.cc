#include "tools/bench_command.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "io/file/atomic_file.h"
#include "tools/bench/answer_maker.h"
#include "tools/bench/bench_measurement.h"
#include "tools/bench/bench_report.h"
#include "tools/bench/corpus_maker.h"
#include "tools/child_process.h"
#include "tools/run_command_options.h"
#include "tools/temporary_folder.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

struct BenchOptions {
  std::vector<const BenchStage*> stages;
  bool all_stages = false;
  CorpusMakerOptions corpus;
  int64_t runs = 5;
  std::string against;
};

// One line of the table.
struct Entry {
  const BenchStage* stage;
  size_t threads;
};

Result<const BenchStage*> RequireStage(std::string_view flag, std::string_view name) {
  const BenchStage* stage = FindBenchStage(name);
  if (stage == nullptr) {
    std::string names;
    for (const BenchStage& known : BenchStages()) {
      names += fmt::format("{}{}", names.empty() ? "" : ", ", known.name);
    }
    return Fail(ErrorCode::kUsage, fmt::format("{}: '{}' is none of {}", flag, name, names));
  }
  return stage;
}

Result<BenchOptions> ReadOptions(const Arguments& arguments) {
  BenchOptions options;
  for (const std::string& name : arguments.List("--stage")) {
    SLUICE_ASSIGN(const BenchStage* stage, RequireStage("--stage", name));
    options.stages.push_back(stage);
  }
  options.against = arguments.TextOr("--against", "");
  if (options.stages.empty() && options.against.empty()) {
    options.all_stages = true;
    for (const BenchStage& stage : BenchStages()) {
      options.stages.push_back(&stage);
    }
  } else if (options.stages.empty()) {
    options.stages = {FindBenchStage("pack")};
  }
  if (!options.against.empty() && options.stages.size() != 1) {
    return Fail(ErrorCode::kUsage, "--against goes with one --stage");
  }
  SLUICE_TRY(Store(arguments.Size("--docs"), options.corpus.documents));
  SLUICE_TRY(Store(arguments.Size("--bytes-per-doc"), options.corpus.document_bytes));
  SLUICE_TRY(Store(arguments.Integer("--runs", 1, 1000), options.runs));
  return options;
}

Result<BenchInput> ReadInput(const Arguments& arguments, FileSystem& files, std::string folder,
                             std::stop_token stop) {
  BenchInput input{.files = files,
                   .folder = std::move(folder),
                   .corpus = {},
                   .rows = 20'000,
                   .dimension = 768,
                   .zstd_level = {},
                   .limits = {},
                   .stop = std::move(stop)};
  input.corpus = arguments.TextOr("--corpus", input.folder + "/corpus.jsonl");
  input.text_field = arguments.TextOr("--text-field", "text");
  SLUICE_TRY(Store(arguments.Size("--rows"), input.rows));
  SLUICE_TRY(Store(arguments.Integer("--dim", 1, 100'000), input.dimension));
  SLUICE_ASSIGN(input.threads, ReadThreads(arguments));
  SLUICE_ASSIGN(input.zstd_level, ReadCompression(arguments));
  SLUICE_TRY(ReadShardLimits(arguments, input.limits));
  return input;
}

Result<void> MakeBenchCorpus(const BenchInput& input, const CorpusMakerOptions& options) {
  SLUICE_ASSIGN(const auto file, input.files.Open(input.corpus, OpenMode::kCreate));
  SLUICE_TRY(MakeCorpus(options, [&](std::string_view lines) -> Result<void> {
    if (input.stop.stop_requested()) {
      return Fail(ErrorCode::kUnfinished, "stopped");
    }
    return file->Write(AsBytes(lines));
  }));
  return {};
}

Result<void> MakeInputs(const CommandContext& context, const BenchInput& input,
                        const BenchOptions& options) {
  context.console.Say("making what is measured with...\n");
  const auto decodes = [](const BenchStage* stage) { return stage->bound == Bound::kNumbers; };
  if (!std::ranges::all_of(options.stages, decodes)) {
    if (context.arguments.Has("--corpus")) {
      const Result<FileStat> stat = input.files.Stat(input.corpus);
      if (!stat.has_value() || !stat->is_regular) {
        return Fail(ErrorCode::kInput, fmt::format("--corpus: '{}' is no file", input.corpus));
      }
    } else {
      SLUICE_TRY(MakeBenchCorpus(input, options.corpus));
    }
    SLUICE_TRY(MakeRequests(input));
  }
  if (std::ranges::any_of(options.stages, decodes)) {
    SLUICE_TRY(input.files.MakeFolders(input.answers_folder()));
    SLUICE_TRY(MakeAnswers(input.files, {.folder = input.answers_folder(),
                                         .rows = input.rows,
                                         .dimension = input.dimension,
                                         .files = 1,
                                         .usage_metadata = true}));
  }
  return {};
}

std::vector<Entry> EntriesOf(const BenchOptions& options, const BenchInput& input) {
  std::vector<Entry> entries;
  for (const BenchStage* stage : options.stages) {
    // Without compression there is nothing to measure.
    if (options.all_stages && stage->name == "compress" && !input.zstd_level.has_value()) {
      continue;
    }
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

// In the process of one measurement.
Result<int> Measure(const CommandContext& context, FileSystem& files) {
  const Arguments& arguments = context.arguments;
  SLUICE_ASSIGN(const BenchStage* stage,
                RequireStage("--measure", arguments.TextOr("--measure", "")));
  SLUICE_ASSIGN(const BenchInput input, ReadInput(arguments, files, arguments.TextOr("--work", "."),
                                                  context.signals.stop_token()));
  SLUICE_ASSIGN(const StageMeasurement measured,
                MeasureStage(*stage, input, !arguments.Has("--no-bound")));
  context.console.Print(Json({{"bytes_in", measured.volume.bytes_in},
                              {"bytes_out", measured.volume.bytes_out},
                              {"documents", measured.volume.documents},
                              {"seconds", measured.seconds},
                              {"cpu_seconds", measured.cpu_seconds},
                              {"peak_bytes", measured.peak_bytes},
                              {"bound_seconds", measured.bound_seconds}})
                            .dump() +
                        '\n');
  return 0;
}

Result<StageMeasurement> MeasureApart(const CommandContext& context, const BenchInput& input,
                                      const Entry& entry) {
  SLUICE_ASSIGN(const EndedProcess ended, RunChild({.words = MeasuringWords(context, input, entry),
                                                    .environment = {},
                                                    .keep_output = true},
                                                   input.stop));
  const Json json = Json::parse(ended.output, nullptr, false);
  if (ended.exit_code != 0 || !json.is_object()) {
    // It has said why.
    const bool input_fault = ended.exit_code == ExitCode(ErrorCode::kInput);
    return Fail(input_fault ? ErrorCode::kInput : ErrorCode::kInternal,
                fmt::format("'{}' could not be measured", entry.stage->name));
  }
  return StageMeasurement{.volume = {.bytes_in = json.at("bytes_in"),
                                     .bytes_out = json.at("bytes_out"),
                                     .documents = json.at("documents")},
                          .seconds = json.at("seconds"),
                          .cpu_seconds = json.at("cpu_seconds"),
                          .peak_bytes = json.at("peak_bytes"),
                          .bound_seconds = json.at("bound_seconds")};
}

// All stages in turn, again and again; the first time does not count.
Result<std::vector<BenchRow>> MeasureAll(const CommandContext& context, const BenchInput& input,
                                         const BenchOptions& options) {
  const std::vector<Entry> entries = EntriesOf(options, input);
  std::vector<BenchRow> rows;
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
    return Fail(ErrorCode::kUsage,
                fmt::format("'{}' ended with exit code {}", racer.command, ended.exit_code));
  }
  if (counts) {
    racer.seconds.push_back(ended.seconds);
    racer.cpu_seconds.push_back(ended.cpu_seconds);
  }
  return {};
}

// Whole processes in turn, one to warm up each.
Result<BenchRace> RaceAgainst(const CommandContext& context, const BenchInput& input,
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

}  // namespace

Result<int> BenchCommand(const CommandContext& context) {
  const Arguments& arguments = context.arguments;
  const auto files = MakePosixFileSystem();
  if (arguments.Has("--measure")) {
    return Measure(context, *files);
  }
  SLUICE_ASSIGN(const BenchOptions options, ReadOptions(arguments));
  SLUICE_ASSIGN(const TemporaryFolder folder,
                TemporaryFolder::Make("sluice-bench-", arguments.TextOr("--work", "")));
  SLUICE_ASSIGN(const BenchInput input,
                ReadInput(arguments, *files, folder.path(), context.signals.stop_token()));
  SLUICE_TRY(MakeInputs(context, input, options));
  BenchResults results{.corpus = arguments.TextOr("--corpus", ""),
                       .compression = arguments.TextOr("--compress", "zstd:3"),
                       .rows = {},
                       .race = {}};
  if (options.against.empty()) {
    SLUICE_ASSIGN(results.rows, MeasureAll(context, input, options));
  } else {
    SLUICE_ASSIGN(results.race, RaceAgainst(context, input, options));
  }
  if (const std::string path = arguments.TextOr("--export-json", ""); !path.empty()) {
    SLUICE_TRY(WriteFileAtomically(*files, path, FormatBenchResultsAsJson(results)));
  }
  context.console.Print(context.console.json ? FormatBenchResultsAsJson(results)
                                             : FormatBenchResults(results));
  return 0;
}

}  // namespace sluice
