#include "tools/config_command.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/json_line.h"
#include "tools/settings.h"
#include "tools/text_table.h"

namespace sluice {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr std::string_view kDefault = "default";

struct Setting {
  std::string name;
  std::optional<std::string> value;
  std::string origin;
};

std::string ValueOf(const Arguments& arguments, const OptionSpec& option) {
  const bool is_flag = option.kind == OptionKind::kFlag || option.kind == OptionKind::kCounted;
  return is_flag ? (arguments.Has(OptionName(option)) ? "true" : "false")
                 : fmt::format("{}", fmt::join(arguments.List(OptionName(option)), " "));
}

// What holds for a command when no flag says otherwise.
std::vector<Setting> SettingsOf(const Arguments& arguments) {
  std::vector<Setting> settings;
  for (const OptionSpec* option : AllOptions(arguments.command)) {
    if (!IsSetting(*option)) {
      continue;
    }
    Setting& setting = settings.emplace_back();
    setting.name = OptionName(*option).substr(2);
    const auto origin = arguments.origins.find(OptionName(*option));
    if (origin == arguments.origins.end()) {
      setting.origin = kDefault;
    } else {
      setting.origin = origin->second;
      setting.value = ValueOf(arguments, *option);
    }
  }
  return settings;
}

std::string AsTable(const std::vector<Setting>& settings) {
  TextTable table({{.heading = "SETTING"}, {.heading = "VALUE"}, {.heading = "ORIGIN"}});
  for (const Setting& setting : settings) {
    table.AddRow({setting.name, setting.value.value_or(""), setting.origin});
  }
  return table.Format();
}

std::string AsJson(std::string_view command, const std::vector<Setting>& settings,
                   const Terminal& terminal) {
  OrderedJson document = {
      {"v", 1}, {"type", "config"}, {"command", command}, {"settings", OrderedJson::array()}};
  for (const Setting& setting : settings) {
    OrderedJson entry = {{"name", setting.name}, {"value", nullptr}, {"origin", setting.origin}};
    if (setting.value) {
      entry["value"] = *setting.value;
    }
    document["settings"].push_back(std::move(entry));
  }
  return JsonLine(document, terminal);
}

}  // namespace

Result<int> ConfigShowCommand(const CommandContext& context) {
  const auto& words = context.arguments.positionals;
  const std::string name = words.empty() ? "run" : fmt::format("{}", fmt::join(words, " "));
  Arguments shown;
  shown.command = FindCommand(name);
  if (shown.command == nullptr) {
    return Fail(ErrorCode::kUsage,
                fmt::format("config show: no command is called '{}'", EscapeControls(name)),
                "sluice --help lists them");
  }
  ReadEnvironment(shown);
  const auto files = MakePosixFileSystem();
  SLUICE_ASSIGN(const auto config, ReadSettingsFiles(context.arguments, *files));
  if (const auto profile = context.arguments.Text("--profile")) {
    shown.values["--profile"] = {*profile};
  }
  FillIn(shown, config);
  const auto settings = SettingsOf(shown);
  context.console.Print(context.console.json ? AsJson(name, settings, context.console.out)
                                             : AsTable(settings));
  return 0;
}

Result<int> ConfigPathCommand(const CommandContext& context) {
  const auto files = MakePosixFileSystem();
  const auto paths = SettingsPaths(context.arguments);
  if (context.console.json) {
    OrderedJson document = {{"v", 1}, {"type", "config-path"}, {"files", OrderedJson::array()}};
    for (const std::string& path : paths) {
      document["files"].push_back({{"path", path}, {"exists", files->Exists(path)}});
    }
    context.console.Print(JsonLine(document, context.console.out));
    return 0;
  }
  TextTable table({{.heading = "FILE"}, {.heading = "THERE"}});
  for (const std::string& path : paths) {
    table.AddRow({path, files->Exists(path) ? "yes" : "no"});
  }
  context.console.Print(table.Format());
  return 0;
}

}  // namespace sluice
