#include "engine/run_settings.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/packed_corpus.h"
#include "engine/pinned_corpus.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr const char* kAccount = kAccountSetting;
constexpr const char* kOutput = "--output";
constexpr const char* kPublished = "--output gs://";
constexpr const char* kProject = "--project";
constexpr const char* kLocation = "--location";

std::string TaskName(Task task) { return task == Task::kEmbed ? "embed" : "generate"; }

Error UnreadablePins() {
  return {.code = ErrorCode::kIo, .message = "what the ledger says of the run cannot be read"};
}

// Flag names, so that the message about a change says what to type.
Json SettingsOf(const RunOptions& options, const std::string& account) {
  const RequestOptions& request = options.request;
  return {{"--backend", options.provider_name},
          {kAccount, account},
          {"--model", request.model},
          {"--task", TaskName(request.task)},
          {kDimensionSetting, request.dimension},
          {"--task-type", request.task_type},
          {"--text-field", request.text_field},
          {"--title-field", request.title_field},
          {"--id-field", options.id_field},
          {"--request-field", request.request_field},
          {"--template", request.prompt_template},
          {"--generation-config", request.generation_config},
          {"--system-instruction", request.system_instruction},
          {kOutput, options.output},
          {kPublished, options.published_output},
          {kProject, options.cloud.project},
          {kLocation, options.cloud.location},
          {kNormalizeSetting, options.normalize},
          {kLineBytesSetting, options.corpus.line_bytes_max},
          {kShardRowsSetting, options.limits.rows_max},
          {kShardBytesSetting, options.limits.bytes_max},
          {kShardTokensSetting, options.limits.tokens_max},
          {kShardAnswerBytesSetting, options.limits.answer_bytes_max}};
}

// The other way round: what SettingsOf() wrote.
RequestOptions RequestOf(const Json& settings) {
  return {.task = settings.at("--task") == TaskName(Task::kEmbed) ? Task::kEmbed : Task::kGenerate,
          .model = settings.at("--model"),
          .dimension = settings.at(kDimensionSetting),
          .task_type = settings.at("--task-type"),
          .text_field = settings.at("--text-field"),
          .title_field = settings.at("--title-field"),
          .request_field = settings.at("--request-field"),
          .prompt_template = settings.at("--template"),
          .generation_config = settings.at("--generation-config"),
          .system_instruction = settings.at("--system-instruction")};
}

PinnedRun PinnedRunOf(const Json& settings, const Json& files) {
  return {.request = RequestOf(settings),
          .provider_name = settings.at("--backend"),
          .id_field = settings.at("--id-field"),
          .output = settings.at(kOutput),
          .normalize = settings.at(kNormalizeSetting),
          .line_bytes_max = settings.at(kLineBytesSetting),
          .limits = {.rows_max = settings.at(kShardRowsSetting),
                     .bytes_max = settings.at(kShardBytesSetting),
                     .tokens_max = settings.at(kShardTokensSetting),
                     .answer_bytes_max = settings.at(kShardAnswerBytesSetting)},
          .files = CorpusFromJson(files)};
}

// Long values (a template) are cut: what matters is that they differ.
std::string Shown(const Json& value) {
  constexpr size_t kShownBytes = 80;
  std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > kShownBytes) {
    text.replace(kShownBytes, text.npos, fmt::format("... ({} bytes)", text.size()));
  }
  return text;
}

// What `prepare` may leave open, because the shards do not depend on it.
constexpr std::array kMayBeOpen = {kAccount, kOutput, kPublished, kProject, kLocation};
bool IsOpen(const std::string& name, const Json& value) {
  return value == Json("") && std::ranges::find(kMayBeOpen, name) != kMayBeOpen.end();
}

// A setting that an older sluice did not pin is absent, and holds from now on.
Result<void> CompareSettings(const Json& pinned, const Json& now) {
  for (const auto& [name, value] : now.items()) {
    const Json before = pinned.value(name, value);
    if (before == value || IsOpen(name, before) || IsOpen(name, value)) {
      continue;
    }
    if (name == kAccount) {  // two hashes, which tell nobody anything
      return Fail(ErrorCode::kUsage,
                  "the account (API key or --base-url) is another than when this run began: the "
                  "key, the sign-in or --base-url has changed",
                  "use the old one to go on, another --run folder, or --fresh to start over");
    }
    return Fail(ErrorCode::kUsage,
                fmt::format("{} was {} when this run began and is {} now", name, Shown(before),
                            Shown(value)),
                "use the old value to go on, another --run folder, or --fresh to start over");
  }
  return {};
}

// True when the corpus is to be pinned anew.
Result<bool> CompareCorpus(FileSystem& files, const RunDirectory& directory, const Json& settings,
                           const Json& pinned, const std::vector<CorpusFile>& list,
                           const std::stop_token& stop) {
  SLUICE_TRY(ExpectPinnedFiles(files, directory, pinned, list, stop));
  Result<bool> is_touched = IsPinnedCorpusTouched(files, directory, pinned, list);
  if (is_touched.has_value() || is_touched.error().code != ErrorCode::kInput) {
    return is_touched;
  }
  SLUICE_ASSIGN(
      const bool is_accepted,
      AcceptChangedCorpus(files, directory, PinnedRunOf(settings, CorpusToJson(list)), stop));
  return is_accepted ? Result<bool>(true) : is_touched;
}

Result<void> ComparePinned(Ledger& ledger, FileSystem& files, const RunDirectory& directory,
                           const Json& pinned, const Json& settings,
                           const std::vector<CorpusFile>& list, const std::stop_token& stop) {
  SLUICE_TRY(CompareSettings(pinned, settings));
  SLUICE_ASSIGN(const auto text, ledger.Get(kFilesKey));
  const Json pinned_files = ParseJson(text.value_or("[]"));
  SLUICE_ASSIGN(const bool is_touched,
                CompareCorpus(files, directory, settings, pinned_files, list, stop));
  if (is_touched) {
    SLUICE_TRY(ledger.Set(kFilesKey, CorpusToJson(list).dump()));
  }
  Json filled = settings;
  filled.update(pinned);
  for (const char* name : kMayBeOpen) {
    if (IsOpen(name, pinned.value(name, Json()))) {
      filled[name] = settings[name];
    }
  }
  return filled == pinned ? Result<void>{} : ledger.Set(kSettingsKey, filled.dump());
}

}  // namespace

Result<void> PinSettings(Ledger& ledger, FileSystem& files, const RunDirectory& directory,
                         const RunOptions& options, const std::string& account,
                         const std::vector<CorpusFile>& list, const std::stop_token& stop) {
  const Json settings = SettingsOf(options, account);
  SLUICE_ASSIGN(const auto pinned, ledger.Get(kSettingsKey));
  if (!pinned.has_value()) {
    SLUICE_TRY(ledger.Set(kFilesKey, CorpusToJson(list).dump()));
    return ledger.Set(kSettingsKey, settings.dump());
  }
  try {
    return ComparePinned(ledger, files, directory, ParseJson(*pinned), settings, list, stop);
  } catch (const Json::exception&) {
    return std::unexpected(UnreadablePins());
  }
}

Result<PinnedRun> ReadPinnedRun(Ledger& ledger) {
  SLUICE_ASSIGN(const auto settings, ledger.Get(kSettingsKey));
  SLUICE_ASSIGN(const auto files, ledger.Get(kFilesKey));
  if (!settings.has_value() || !files.has_value()) {
    return Fail(ErrorCode::kInput, "the ledger does not say what the run was asked to do");
  }
  try {
    return PinnedRunOf(ParseJson(*settings), ParseJson(*files));
  } catch (const Json::exception&) {
    return std::unexpected(UnreadablePins());
  }
}

}  // namespace sluice
