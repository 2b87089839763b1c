#include "tools/bench_command.h"

#include <filesystem>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "io/file/temporary_folder.h"
#include "tools/bench/answer_maker.h"
#include "tools/bench/bench_measurement.h"
#include "tools/bench/bench_report.h"
#include "tools/bench/corpus_maker.h"
#include "tools/bench_options.h"
#include "tools/bench_turns.h"
#include "tools/result_output.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

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

Result<void> MakeBenchAnswers(const BenchInput& input, uint64_t seed) {
  SLUICE_TRY(input.files.MakeFolders(input.answers_folder()));
  return MakeAnswers(input.files, {.folder = input.answers_folder(),
                                   .rows = input.rows,
                                   .dimension = input.dimension,
                                   .files = 1,
                                   .seed = seed,
                                   .usage_metadata = true,
                                   .stop = input.stop});
}

// The corpus, unless it is the user's, and its requests.
Result<void> MakeCorpusInputs(const BenchInput& input, const BenchOptions& options,
                              BenchConditions& conditions) {
  if (!conditions.corpus.has_value()) {
    SLUICE_TRY(MakeBenchCorpus(input, options.corpus));
    conditions.document_bytes = options.corpus.document_bytes;
  } else if (const Result<FileStat> stat = input.files.Stat(input.corpus);
             !stat.has_value() || !stat->is_regular) {
    return Fail(ErrorCode::kInput, fmt::format("--corpus: '{}' is no file", input.corpus));
  }
  SLUICE_ASSIGN(const StageVolume volume, MakeRequests(input));
  conditions.documents = volume.documents;
  conditions.refused = volume.refused;
  return {};
}

// Makes what is measured with, and tells what it is.
Result<BenchConditions> MakeInputs(const CommandContext& context, const BenchInput& input,
                                   const BenchOptions& options) {
  context.console.Say("making what is measured with...\n");
  BenchConditions conditions{.begin = SystemClock().WallNow(),
                             .machine = ThisMachine(),
                             .threads = input.threads,
                             .compression = context.arguments.TextOr("--compress", "zstd:3"),
                             .dimension = input.dimension,
                             .seed = options.corpus.seed};
  if (options.reads_corpus()) {
    conditions.corpus = context.arguments.Text("--corpus");
    SLUICE_TRY(MakeCorpusInputs(input, options, conditions));
  }
  if (options.decodes()) {
    SLUICE_TRY(MakeBenchAnswers(input, options.corpus.seed));
    conditions.rows = input.rows;
  }
  return conditions;
}

Result<std::optional<ResultOutput>> OpenExport(const Arguments& arguments, FileSystem& files) {
  const std::string path = arguments.TextOr("--export-json", "");
  if (path.empty()) {
    return std::nullopt;
  }
  std::error_code error;
  if (std::filesystem::equivalent(path, arguments.TextOr("--corpus", ""), error)) {
    return Fail(ErrorCode::kUsage,
                fmt::format("--export-json: '{}' is the corpus, and would be written over", path),
                "name another file");
  }
  Result<ResultOutput> output = ResultOutput::Open(files, path);
  if (!output.has_value()) {
    output.error().message = "--export-json: " + output.error().message;
    return std::unexpected(std::move(output).error());
  }
  return std::move(output).value();
}

Result<TemporaryFolder> MakeWorkFolder(const Arguments& arguments) {
  const std::string parent = arguments.TextOr("--work", "");
  std::error_code error;
  if (!parent.empty() && !std::filesystem::is_directory(parent, error)) {
    return Fail(ErrorCode::kUsage, fmt::format("--work: '{}' is no folder", parent),
                "name one that is there");
  }
  Result<TemporaryFolder> folder = TemporaryFolder::Make("sluice-bench-", parent);
  if (!folder.has_value()) {
    return Fail(ErrorCode::kUsage, "--work: " + folder.error().message,
                "name a folder with some room that you may write into");
  }
  return folder;
}

// In the process of one measurement.
Result<int> Measure(const CommandContext& context, FileSystem& files) {
  const Arguments& arguments = context.arguments;
  const std::string folder = arguments.TextOr("--work", "");
  if (folder.empty()) {
    return Fail(ErrorCode::kUsage, "--measure is for sluice's own use");
  }
  SLUICE_ASSIGN(const BenchStage* stage,
                RequireStage("--measure", arguments.TextOr("--measure", "")));
  SLUICE_ASSIGN(const BenchInput input,
                ReadBenchInput(arguments, files, folder, context.signals.stop_token()));
  SLUICE_ASSIGN(const StageMeasurement measured,
                MeasureStage(*stage, input, !arguments.Has("--no-bound")));
  Json json = {{"bytes_in", measured.volume.bytes_in}, {"bytes_out", measured.volume.bytes_out},
               {"seconds", measured.seconds},          {"cpu_seconds", measured.cpu_seconds},
               {"peak_bytes", measured.peak_bytes},    {"bound_seconds", measured.bound_seconds}};
  if (measured.volume.documents.has_value()) {
    json["documents"] = *measured.volume.documents;
  }
  context.console.Print(json.dump() + '\n');
  return 0;
}

}  // namespace

Result<int> BenchCommand(const CommandContext& given) {
  const Arguments& arguments = given.arguments;
  const auto files = MakePosixFileSystem();
  if (arguments.Has("--measure")) {
    return Measure(given, *files);
  }
  // What is said meanwhile is for people.
  Console console = given.console;
  console.quiet = console.quiet || console.json;
  const CommandContext context{
      .arguments = arguments, .console = console, .signals = given.signals};
  SLUICE_ASSIGN(const BenchOptions options, ReadBenchOptions(arguments));
  // Before the work, so that it is not done in vain.
  SLUICE_ASSIGN(std::optional<ResultOutput> exported, OpenExport(arguments, *files));
  SLUICE_ASSIGN(const TemporaryFolder folder, MakeWorkFolder(arguments));
  SLUICE_ASSIGN(const BenchInput input,
                ReadBenchInput(arguments, *files, folder.path(), context.signals.stop_token()));
  SLUICE_ASSIGN(BenchConditions conditions, MakeInputs(context, input, options));
  BenchResults results{.conditions = std::move(conditions), .rows = {}, .race = {}};
  if (options.against.empty()) {
    SLUICE_ASSIGN(results.rows, MeasureInTurn(context, input, options));
  } else {
    SLUICE_ASSIGN(results.race, RaceInTurn(context, input, options));
  }
  console.Print(console.json ? FormatBenchResultsAsJson(results) : FormatBenchResults(results));
  if (exported.has_value()) {
    SLUICE_TRY(exported->Write(FormatBenchResultsAsJson(results)));
    SLUICE_TRY(exported->Close());
  }
  return 0;
}

}  // namespace sluice
