#include "tools/settings.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fmt/format.h>

#include "tools/terminal.h"
#include "tools/words.h"

namespace sluice {
namespace {

constexpr std::string_view kHere = "./sluice.toml";
constexpr std::string_view kName = "sluice/config.toml";
constexpr std::array<std::string_view, 5> kNotHere = {"--base-url", "--api-key-file", "--project",
                                                      "--bucket", "--bigquery-dataset"};

// Empty when it is not set. Relative paths are to be taken for no paths at all.
std::string FolderVariable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr || *value != '/' ? "" : value;
}

bool IsAboutItself(const Arguments& arguments) {
  const CommandSpec* command = arguments.command;
  constexpr std::array<std::string_view, 5> kCommands = {"help", "completion", "version",
                                                         "config show", "config path"};
  if (command == nullptr || arguments.Has("--help") || arguments.Has("--version") ||
      arguments.Has("--dump-man")) {
    return true;
  }
  return OnlyNamesVerbs(*command) || std::ranges::find(kCommands, command->name) != kCommands.end();
}

Result<void> CheckTrust(const ConfigFile& file) {
  for (const std::string_view name : kNotHere) {
    if (const ConfigValue* value = file.FindAnywhere(name); value != nullptr) {
      return Fail(ErrorCode::kUsage,
                  fmt::format("{}:{}: {} may not stand here: whoever wrote this folder would "
                              "decide about your key or your data",
                              file.path(), value->line, name.substr(2)),
                  "put it into your own settings file (`sluice config path`), or use --config");
    }
  }
  return {};
}

Result<ConfigFile> ReadSettingsFile(FileSystem& files, const std::string& path) {
  SLUICE_ASSIGN(const std::string text, ReadWholeFile(files, path, ConfigFile::kBytesMax));
  return ConfigFile::Parse(text, path);
}

}  // namespace

std::vector<std::string> SettingsPaths(const Arguments& arguments) {
  if (const auto given = arguments.Text("--config")) {
    return {*given};
  }
  std::vector<std::string> paths = {std::string(kHere)};
  const std::string home = FolderVariable("HOME");
  std::string own = FolderVariable("XDG_CONFIG_HOME");
  if (own.empty() && !home.empty()) {
    own = home + "/.config";
  }
  if (!own.empty()) {
    paths.push_back(fmt::format("{}/{}", own, kName));
  }
  const char* set = std::getenv("XDG_CONFIG_DIRS");
  const std::string folders = set == nullptr || *set == '\0' ? "/etc/xdg" : set;
  for (const std::string_view folder : SplitText(folders, ':')) {
    if (folder.starts_with('/')) {
      paths.push_back(fmt::format("{}/{}", folder, kName));
    }
  }
  return paths;
}

Result<std::vector<ConfigFile>> ReadSettingsFiles(const Arguments& arguments, FileSystem& files) {
  std::vector<ConfigFile> config;
  for (const std::string& path : SettingsPaths(arguments)) {
    if (!arguments.Has("--config") && !files.Exists(path)) {
      continue;
    }
    Result<ConfigFile> file = ReadSettingsFile(files, path);
    if (!file.has_value() && file.error().code == ErrorCode::kNotFound) {
      return Fail(ErrorCode::kUsage, fmt::format("--config: {}", file.error().message));
    }
    SLUICE_TRY(file);
    if (path == kHere) {
      SLUICE_TRY(CheckTrust(*file));
    }
    config.push_back(std::move(*file));
  }
  const std::string profile = arguments.TextOr("--profile", "");
  const bool is_known =
      profile.empty() || std::ranges::any_of(config, [&profile](const ConfigFile& file) {
        return file.HasProfile(profile);
      });
  if (!is_known) {
    return Fail(
        ErrorCode::kUsage,
        fmt::format("--profile: no settings file has a profile '{}'", EscapeControls(profile)),
        "`sluice config path` lists the files");
  }
  return config;
}

void FillIn(Arguments& arguments, const std::vector<ConfigFile>& config) {
  const std::string profile = arguments.TextOr("--profile", "");
  for (const OptionSpec* option : AllOptions(arguments.command)) {
    const std::string name(OptionName(*option));
    if (arguments.Has(name) || !IsSetting(*option)) {
      continue;
    }
    for (const ConfigFile& file : config) {
      const ConfigValue* value = file.Find(*arguments.command, name, profile);
      if (value == nullptr) {
        continue;
      }
      arguments.origins[name] = fmt::format("{}:{}", file.path(), value->line);
      if (!value->values.empty()) {
        arguments.values[name] = value->values;
      }
      break;
    }
  }
}

Result<void> ReadSettings(Arguments& arguments, FileSystem& files) {
  if (IsAboutItself(arguments)) {
    return {};
  }
  SLUICE_ASSIGN(const auto config, ReadSettingsFiles(arguments, files));
  FillIn(arguments, config);
  return {};
}

}  // namespace sluice
