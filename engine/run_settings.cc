#include "engine/run_settings.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <random>

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr const char* kAccount = kAccountSetting;
constexpr const char* kOutput = "--output";

std::string TaskName(Task task) { return task == Task::kEmbed ? "embed" : "generate"; }

// Flag names, so that the message about a change says what to type.
Json SettingsOf(const RunOptions& options, const std::string& account) {
  const RequestOptions& request = options.request;
  return {{"--backend", options.provider_name},
          {kAccount, account},
          {"--model", request.model},
          {"--task", TaskName(request.task)},
          {"--dim", request.dimension},
          {"--task-type", request.task_type},
          {"--text-field", request.text_field},
          {"--title-field", request.title_field},
          {"--id-field", options.id_field},
          {"--request-field", request.request_field},
          {"--template", request.prompt_template},
          {"--generation-config", request.generation_config},
          {"--system-instruction", request.system_instruction},
          {kOutput, options.output},
          {"--normalize", options.normalize},
          {"--max-line-bytes", options.corpus.line_bytes_max},
          {"--shard-rows", options.limits.rows_max},
          {"--shard-bytes", options.limits.bytes_max},
          {"--shard-tokens", options.limits.tokens_max},
          {"--shard-answer-bytes", options.limits.answer_bytes_max}};
}

// Lossy for names that are not UTF-8, which only makes two such names look alike here.
std::string Printable(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json FilesOf(const std::vector<CorpusFile>& list) {
  Json files = Json::array();
  for (const CorpusFile& file : list) {
    files.push_back({{"name", Printable(file.name)},
                     {"size", file.size},
                     {"mtime_ns", file.path == "-" ? 0 : file.mtime_ns}});
  }
  return files;
}

// What `prepare` may leave open, because the shards do not depend on it.
bool IsOpen(const std::string& name, const Json& value) {
  return value == "" && (name == kAccount || name == kOutput);
}

Result<void> CompareSettings(const Json& pinned, const Json& now) {
  for (const auto& [name, value] : now.items()) {
    const Json before = pinned.value(name, Json());
    if (before != value && !IsOpen(name, before) && !IsOpen(name, value)) {
      return Fail(ErrorCode::kUsage,
                  fmt::format("{} was {} when this run began and is {} now", name, before.dump(),
                              value.dump()),
                  "use the old value to go on, another --run folder, or --fresh to start over");
    }
  }
  return {};
}

Result<void> CompareFiles(const Json& pinned, const Json& now) {
  const std::string hint = "put the corpus back to go on, or start over with --fresh";
  if (pinned.size() != now.size()) {
    return Fail(ErrorCode::kInput,
                fmt::format("the corpus had {} files when this run began and has "
                            "{} now",
                            pinned.size(), now.size()),
                hint);
  }
  for (size_t i = 0; i < now.size(); ++i) {
    if (pinned[i] != now[i]) {
      return Fail(ErrorCode::kInput,
                  fmt::format("{} changed since this run began", now[i]["name"].get<std::string>()),
                  hint);
    }
  }
  return {};
}

}  // namespace

Result<void> PinSettings(Ledger& ledger, const RunOptions& options, const std::string& account,
                         const std::vector<CorpusFile>& list) {
  const Json settings = SettingsOf(options, account);
  const Json files = FilesOf(list);
  SLUICE_ASSIGN(const auto pinned, ledger.Get("settings"));
  if (!pinned.has_value()) {
    SLUICE_TRY(ledger.Set("files", files.dump()));
    return ledger.Set("settings", settings.dump());
  }
  const Json before = Json::parse(*pinned, nullptr, false);
  SLUICE_TRY(CompareSettings(before, settings));
  SLUICE_ASSIGN(const auto pinned_files, ledger.Get("files"));
  SLUICE_TRY(CompareFiles(Json::parse(pinned_files.value_or("[]"), nullptr, false), files));
  Json filled = before;
  for (const char* name : {kAccount, kOutput}) {
    if (IsOpen(name, before.value(name, Json()))) {
      filled[name] = settings[name];
    }
  }
  return filled == before ? Result<void>{} : ledger.Set("settings", filled.dump());
}

Result<std::string> RunId(Ledger& ledger) {
  SLUICE_ASSIGN(const auto known, ledger.Get("run_id"));
  if (known.has_value()) {
    return *known;
  }
  constexpr uint64_t kMask = (uint64_t{1} << 48) - 1;
  std::random_device random;
  const uint64_t bits = (uint64_t{random()} << 32 | random()) & kMask;
  const std::string run_id = fmt::format("{:012x}", bits);
  SLUICE_TRY(ledger.Set("run_id", run_id));
  return run_id;
}

}  // namespace sluice
