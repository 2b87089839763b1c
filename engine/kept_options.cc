#include "engine/kept_options.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/run_settings.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

Result<Json> Settings(Ledger& ledger) {
  SLUICE_ASSIGN(const auto text, ledger.Get(kSettingsKey));
  Json settings = ParseJson(text.value_or("{}"));
  if (!settings.is_object() || settings.value("--output", "").empty()) {
    return Fail(ErrorCode::kUsage, "this run has not sent anything yet",
                "`sluice run` with its INPUT and flags goes on with it");
  }
  return settings;
}

}  // namespace

Result<void> KeepOptions(Ledger& ledger, const RunOptions& options) {
  const Json how = {{"backend", options.backend},
                    {"base_url", options.base_url},
                    {"project", options.cloud.project},
                    {"location", options.cloud.location},
                    {"bucket", options.cloud.bucket},
                    {"bigquery_dataset", options.cloud.bigquery_dataset},
                    {"provider_note", options.provider_note},
                    {"published_output", options.published_output},
                    {"on_error", OnErrorName(options.on_error)},
                    {kCompressSetting, options.zstd_level.value_or(0)},
                    {kKeepAnswersSetting, options.keep_answers},
                    {kKeepRemoteSetting, options.keep_remote}};
  return ledger.Set(kHowKey, how.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Result<RunOptions> KeptOptions(Ledger& ledger, const std::string& run_folder) {
  SLUICE_TRY(Settings(ledger));
  SLUICE_ASSIGN(PinnedRun pinned, ReadPinnedRun(ledger));
  SLUICE_ASSIGN(const auto how_text, ledger.Get(kHowKey));
  const Json how = ParseJson(how_text.value_or("{}"));
  RunOptions options;
  options.run_folder = run_folder;
  options.provider_name = pinned.provider_name;
  options.request = std::move(pinned.request);
  options.output = pinned.output;
  options.normalize = pinned.normalize;
  try {
    options.backend = how.value("backend", options.provider_name);
    options.base_url = how.value("base_url", "");
    options.cloud = {.project = how.value("project", ""),
                     .location = how.value("location", ""),
                     .bucket = how.value("bucket", ""),
                     .bigquery_dataset = how.value("bigquery_dataset", "")};
    options.provider_note = how.value("provider_note", "");
    options.published_output = how.value("published_output", "");
    options.on_error = ParseOnError(how.value("on_error", "nan"));
    const int level = how.value(kCompressSetting, 3);
    options.zstd_level = level > 0 ? std::optional(level) : std::nullopt;
    options.keep_answers = how.value(kKeepAnswersSetting, false);
    options.keep_remote = how.value(kKeepRemoteSetting, false);
  } catch (const Json::exception&) {
    return Fail(ErrorCode::kIo, "the ledger holds settings that cannot be read");
  }
  return options;
}

Result<void> CheckAccount(Ledger& ledger, const std::string& account) {
  SLUICE_ASSIGN(const Json settings, Settings(ledger));
  if (settings.value(kAccountSetting, "") != account) {
    return Fail(ErrorCode::kUsage,
                fmt::format("{} is not the one that this run began with", kAccountSetting),
                "use the old one: jobs are visible only to the account that made them");
  }
  return {};
}

}  // namespace sluice
