#include "tools/bench_options.h"

#include <filesystem>
#include <fmt/format.h>
#include <utility>

#include "tools/run_command_options.h"

namespace sluice {

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

Result<BenchOptions> ReadBenchOptions(const Arguments& arguments) {
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
