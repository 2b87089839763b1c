#include "tools/bench_options.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <utility>

#include "tools/run_command_options.h"

namespace sluice {
namespace {

bool Decodes(const BenchStage* stage) { return stage->bound == Bound::kNumbers; }

// Without compression there is nothing to measure.
bool IsIdle(const BenchStage& stage, bool compresses) {
  return stage.name == "compress" && !compresses;
}

Result<std::vector<const BenchStage*>> ReadStages(const Arguments& arguments) {
  SLUICE_ASSIGN(const std::optional<int> zstd_level, ReadCompression(arguments));
  const bool compresses = zstd_level.has_value();
  std::vector<const BenchStage*> stages;
  for (const std::string& name : arguments.List("--stage")) {
    SLUICE_ASSIGN(const BenchStage* stage, RequireStage("--stage", name));
    if (IsIdle(*stage, compresses)) {
      return Fail(ErrorCode::kUsage,
                  fmt::format("--stage: 'compress' does not go with {} none",
                              arguments.Origin("--compress")),
                  "give it a level: --compress zstd:3");
    }
    stages.push_back(stage);
  }
  if (stages.empty() && arguments.Has("--against")) {
    return std::vector{FindBenchStage("pack")};
  }
  if (stages.empty()) {
    for (const BenchStage& stage : BenchStages()) {
      if (!IsIdle(stage, compresses)) {
        stages.push_back(&stage);
      }
    }
  }
  return stages;
}

Result<void> CheckAgainst(const Arguments& arguments, const BenchOptions& options) {
  if (arguments.Has("--against") && options.against.empty()) {
    return Fail(ErrorCode::kUsage, "--against: there is no command in it",
                std::string(kAgainstHint));
  }
  if (!options.against.empty() && options.stages.size() != 1) {
    return Fail(ErrorCode::kUsage, "--against goes with one --stage");
  }
  return {};
}

// Nothing that was asked for goes unheard.
Result<void> CheckCorpus(const Arguments& arguments, const BenchOptions& options) {
  if (!arguments.Has("--corpus")) {
    return {};
  }
  if (arguments.List("--corpus").size() > 1) {
    return Fail(ErrorCode::kUsage, "--corpus is given more than once",
                "put the files into one: cat a.jsonl b.jsonl > all.jsonl");
  }
  for (const std::string_view flag : {"--docs", "--bytes-per-doc"}) {
    if (arguments.Has(flag)) {
      return Fail(ErrorCode::kUsage, fmt::format("{} does not go with --corpus", flag),
                  "it is for the corpus that is made up without --corpus");
    }
  }
  if (!options.reads_corpus()) {
    return Fail(ErrorCode::kUsage, "--corpus does not go with --stage decode alone",
                "what is decoded are made-up answers: --rows, --dim");
  }
  return {};
}

}  // namespace

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

bool BenchOptions::reads_corpus() const { return !std::ranges::all_of(stages, Decodes); }

bool BenchOptions::decodes() const { return std::ranges::any_of(stages, Decodes); }

Result<BenchOptions> ReadBenchOptions(const Arguments& arguments) {
  BenchOptions options;
  options.against = arguments.TextOr("--against", "");
  SLUICE_ASSIGN(options.stages, ReadStages(arguments));
  SLUICE_TRY(CheckAgainst(arguments, options));
  SLUICE_TRY(CheckCorpus(arguments, options));
  SLUICE_TRY(Store(arguments.Size("--docs"), options.corpus.documents));
  SLUICE_TRY(Store(arguments.Size("--bytes-per-doc"), options.corpus.document_bytes));
  SLUICE_TRY(Store(arguments.Integer("--runs", 1, 1000), options.runs));
  return options;
}

Result<BenchInput> ReadBenchInput(const Arguments& arguments, FileSystem& files, std::string folder,
                                  std::stop_token stop) {
  BenchInput input{.files = files,
                   .folder = std::move(folder),
                   .corpus = {},
                   .rows = 20'000,
                   .dimension = 768,
                   .zstd_level = {},
                   .limits = {},
                   .stop = std::move(stop)};
  // From the root: a command that it is measured against may change its folder.
  std::error_code error;
  const auto corpus = arguments.Text("--corpus");
  input.corpus = corpus.has_value() ? std::filesystem::absolute(*corpus, error).string()
                                    : input.folder + "/corpus.jsonl";
  input.text_field = arguments.TextOr("--text-field", "text");
  SLUICE_TRY(Store(arguments.Size("--rows"), input.rows));
  if (input.rows == 0) {
    return Fail(ErrorCode::kUsage, "--rows: of 0 answers nothing can be measured");
  }
  SLUICE_TRY(Store(arguments.Integer("--dim", 1, 100'000), input.dimension));
  SLUICE_ASSIGN(input.threads, ReadThreads(arguments));
  SLUICE_ASSIGN(input.zstd_level, ReadCompression(arguments));
  SLUICE_TRY(ReadShardLimits(arguments, input.limits));
  return input;
}

}  // namespace sluice
