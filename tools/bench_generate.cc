#include <array>
#include <charconv>
#include <fmt/format.h>

#include "io/corpus/corpus.h"
#include "tools/bench/answer_maker.h"
#include "tools/bench/corpus_maker.h"
#include "tools/bench_command.h"
#include "tools/result_output.h"

namespace sluice {
namespace {

// "4%" or "0.04".
Result<void> StoreShare(const Arguments& arguments, std::string_view flag, double& share) {
  const std::optional<std::string> text = arguments.Text(flag);
  if (!text) {
    return {};
  }
  const bool percent = text->ends_with('%');
  const char* const end = text->data() + text->size() - (percent ? 1 : 0);
  double value = 0;
  const auto read = std::from_chars(text->data(), end, value);
  value = percent ? value / 100 : value;
  if (read.ec != std::errc{} || read.ptr != end || !(value >= 0 && value <= 1)) {
    return Fail(ErrorCode::kUsage,
                fmt::format("{}: '{}' is no share like 4% or 0.04", flag, *text));
  }
  share = value;
  return {};
}

Result<Script> ParseScript(std::string_view name) {
  constexpr std::array<std::string_view, 4> kNames = {"latin", "cyrillic", "cjk", "emoji"};
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) {
      return static_cast<Script>(i);
    }
  }
  return Fail(ErrorCode::kUsage,
              fmt::format("--script: '{}' is none of {}", name, fmt::join(kNames, ", ")));
}

Result<CorpusMakerOptions> ReadCorpusOptions(const Arguments& arguments) {
  CorpusMakerOptions options;
  if (arguments.Has("--bytes") && arguments.Has("--docs")) {
    return Fail(ErrorCode::kUsage, "--bytes and --docs exclude each other");
  }
  SLUICE_TRY(Store(arguments.Size("--bytes"), options.bytes));
  SLUICE_TRY(Store(arguments.Size("--docs"), options.documents));
  SLUICE_TRY(Store(arguments.Size("--bytes-per-doc"), options.document_bytes));
  SLUICE_TRY(StoreShare(arguments, "--escapes", options.escape_share));
  SLUICE_TRY(StoreShare(arguments, "--non-ascii", options.non_ascii_share));
  SLUICE_TRY(Store(arguments.Integer("--seed", 0, INT64_MAX), options.seed));
  if (arguments.Has("--script")) {
    options.scripts.clear();
    for (const std::string& name : arguments.List("--script")) {
      SLUICE_ASSIGN(const Script script, ParseScript(name));
      options.scripts.push_back(script);
    }
  }
  return options;
}

// Of the option table's two groups.
Result<void> RefuseFlagsOf(const Arguments& arguments, std::string_view group,
                           std::string_view what) {
  for (const OptionSpec& option : arguments.command->options) {
    const std::string_view flag = OptionName(option);
    if (option.group == group && arguments.Has(flag)) {
      return Fail(ErrorCode::kUsage, fmt::format("{} does not go with 'generate {}'", flag, what),
                  "see sluice bench generate --help");
    }
  }
  return {};
}

Result<int> GenerateCorpus(const CommandContext& context, FileSystem& files,
                           const std::string& path) {
  SLUICE_TRY(RefuseFlagsOf(context.arguments, "Answers", "corpus"));
  SLUICE_ASSIGN(const CorpusMakerOptions options, ReadCorpusOptions(context.arguments));
  if (CompressionByName(path) != InputCompression::kNone) {
    return Fail(ErrorCode::kUsage,
                fmt::format("'{}' would be plain, and its name says otherwise", path),
                "write to - and through gzip or zstd");
  }
  SLUICE_ASSIGN(ResultOutput output, ResultOutput::Open(files, path));
  SLUICE_TRY(MakeCorpus(options, [&](std::string_view lines) -> Result<void> {
    if (context.signals.stop_token().stop_requested()) {
      return Fail(ErrorCode::kUnfinished, "stopped");
    }
    return output.Write(lines);
  }));
  SLUICE_TRY(output.Close());
  return 0;
}

// What is there is the user's, and would be written over or taken for made answers.
Result<void> MakeEmptyFolder(FileSystem& files, const std::string& folder) {
  constexpr const char* kHint = "name a new or an empty folder";
  if (const Result<void> made = files.MakeFolders(folder); !made.has_value()) {
    return Fail(ErrorCode::kUsage, made.error().message, kHint);
  }
  SLUICE_ASSIGN(const std::vector<std::string> names, files.List(folder));
  if (!names.empty()) {
    return Fail(ErrorCode::kUsage, fmt::format("'{}' is not empty", folder), kHint);
  }
  return {};
}

Result<int> GenerateAnswers(const CommandContext& context, FileSystem& files, std::string folder) {
  const Arguments& arguments = context.arguments;
  SLUICE_TRY(RefuseFlagsOf(arguments, "Corpus", "answers"));
  AnswerMakerOptions options{.folder = std::move(folder),
                             .usage_metadata = arguments.Has("--usage-metadata"),
                             .spaced = arguments.Has("--spaced"),
                             .stop = context.signals.stop_token()};
  SLUICE_TRY(Store(arguments.Size("--rows"), options.rows));
  SLUICE_TRY(Store(arguments.Integer("--dim", 1, 1'000'000), options.dimension));
  SLUICE_TRY(Store(arguments.Integer("--files", 1, 100'000), options.files));
  SLUICE_TRY(Store(arguments.Integer("--seed", 0, INT64_MAX), options.seed));
  SLUICE_TRY(StoreShare(arguments, "--failed", options.failed_share));
  SLUICE_TRY(MakeEmptyFolder(files, options.folder));
  SLUICE_TRY(MakeAnswers(files, options));
  return 0;
}

}  // namespace

Result<int> BenchGenerateCommand(const CommandContext& context) {
  const std::vector<std::string>& words = context.arguments.positionals;
  const auto files = MakePosixFileSystem();
  if (words.size() == 2 && words[0] == "corpus") {
    return GenerateCorpus(context, *files, words[1]);
  }
  if (words.size() == 2 && words[0] == "answers") {
    return GenerateAnswers(context, *files, words[1]);
  }
  return Fail(ErrorCode::kUsage, "'bench generate' needs 'corpus' or 'answers', and a PATH",
              "see sluice bench generate --help");
}

}  // namespace sluice
