#include "tools/config_file.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <stdexcept>

namespace sluice {
namespace {

// toml++ 3.3 asserts what it expects of the text, and not only of itself: "[.a?b]" breaks that.
[[noreturn]] void RefuseToml() { throw std::invalid_argument("no well-formed name"); }

}  // namespace
}  // namespace sluice

#define TOML_ASSERT(condition) ((condition) ? void() : sluice::RefuseToml())
#include <toml++/toml.h>

#include "io/json/json_text.h"
#include "tools/terminal.h"
#include "tools/words.h"

namespace sluice {
namespace {

constexpr std::string_view kProfile = "profile";

constexpr const char* kTomlHint = "the file is TOML: key = \"value\"";

// Headings of the option table below which everything holds from one time to the next, and single
// options elsewhere.
constexpr std::array<std::string_view, 6> kGroups = {"What to read", "What to ask", "Service",
                                                     "Sizes",        "Pace",        "Limits"};
constexpr std::array<std::string_view, 9> kNames = {
    "--on-error", "--keep-answers",      "--json",  "--color",  "--no-input",
    "--progress", "--progress-interval", "--quiet", "--verbose"};
// The folder in which one service keeps its state.
constexpr std::string_view kNoSetting = "--state";

const OptionSpec* FindOption(const CommandSpec* command, std::string_view name) {
  const auto options = AllOptions(command);
  const auto found = std::ranges::find_if(
      options, [name](const OptionSpec* option) { return OptionName(*option) == name; });
  return found == options.end() ? nullptr : *found;
}

// With null: of any command.
const OptionSpec* FindSetting(const CommandSpec* command, std::string_view name) {
  if (command != nullptr) {
    const OptionSpec* option = FindOption(command, name);
    return option != nullptr && IsSetting(*option) ? option : nullptr;
  }
  for (const CommandSpec& any : Commands()) {
    if (const OptionSpec* option = FindSetting(&any, name); option != nullptr) {
      return option;
    }
  }
  return nullptr;
}

std::vector<std::string_view> SettingNames(const CommandSpec* command) {
  std::vector<std::string_view> names;
  for (const CommandSpec& any : Commands()) {
    for (const OptionSpec* option : AllOptions(&any)) {
      if (IsSetting(*option) && (command == nullptr || command == &any)) {
        names.push_back(OptionName(*option).substr(2));
      }
    }
  }
  return names;
}

std::optional<std::string> TextOf(const toml::node& node) {
  if (const auto* text = node.as_string()) {
    return text->get();
  }
  if (const auto* number = node.as_integer()) {
    return std::to_string(number->get());
  }
  return std::nullopt;
}

std::optional<std::vector<std::string>> ListOf(const toml::node& node) {
  std::vector<std::string> list;
  if (const auto* array = node.as_array()) {
    for (const toml::node& element : *array) {
      const auto text = TextOf(element);
      if (!text) {
        return std::nullopt;
      }
      list.push_back(*text);
    }
    return list;
  }
  if (const auto text = TextOf(node)) {
    list.push_back(*text);
    return list;
  }
  return std::nullopt;
}

// Values as the command line would have given them; nothing for the wrong type.
std::optional<std::vector<std::string>> ValuesOf(const toml::node& node, OptionKind kind) {
  switch (kind) {
    case OptionKind::kFlag:
    case OptionKind::kCounted:
      if (const auto* flag = node.as_boolean()) {
        return flag->get() ? std::vector<std::string>{""} : std::vector<std::string>{};
      }
      return std::nullopt;
    case OptionKind::kList:
      return ListOf(node);
    case OptionKind::kText:
    case OptionKind::kChoice:
    case OptionKind::kOptional:
      if (const auto text = TextOf(node)) {
        return std::vector<std::string>{*text};
      }
      return std::nullopt;
  }
  return std::nullopt;
}

std::string_view ExpectedType(OptionKind kind) {
  switch (kind) {
    case OptionKind::kFlag:
    case OptionKind::kCounted:
      return "true or false";
    case OptionKind::kList:
      return "text in quotes, or a list of them";
    case OptionKind::kText:
    case OptionKind::kChoice:
    case OptionKind::kOptional:
      return "text in quotes or a whole number";
  }
  return "";
}

}  // namespace

bool IsSetting(const OptionSpec& option) {
  const std::string_view name = OptionName(option);
  const bool is_kept = std::ranges::find(kGroups, option.group) != kGroups.end() ||
                       std::ranges::find(kNames, name) != kNames.end();
  return is_kept && !option.help.empty() && name != kNoSetting;
}

// Walks the tables of one file.
class ConfigFile::Reader {
 public:
  explicit Reader(ConfigFile& file) : file_(file) {}

  Result<void> ReadTable(const toml::table& table, const Scope& scope) {
    for (const auto& [key, node] : table) {
      SLUICE_TRY(node.is_table() ? ReadSubtable(key.str(), *node.as_table(), scope)
                                 : ReadValue(key.str(), node, scope));
    }
    return {};
  }

  // Anything may stand in a profile but another one.
  Result<void> ReadProfiles(const toml::table& profiles) {
    for (const auto& [name, node] : profiles) {
      if (!node.is_table()) {
        return Refuse(node, fmt::format("'{}' is no profile", Shown(name.str())),
                      "a profile is a table: [profile.NAME]");
      }
      const Scope scope{.profile = std::string(name.str())};
      file_.scopes_[scope];
      SLUICE_TRY(ReadTable(*node.as_table(), scope));
    }
    return {};
  }

 private:
  static std::string Shown(std::string_view name) { return EscapeControls(name.substr(0, 64)); }

  std::unexpected<Error> Refuse(const toml::node& node, std::string_view reason,
                                std::string hint) const {
    return Fail(ErrorCode::kUsage,
                fmt::format("{}:{}: {}", file_.path_, node.source().begin.line, reason),
                std::move(hint));
  }

  Result<void> ReadSubtable(std::string_view key, const toml::table& table, const Scope& scope) {
    if (key == kProfile && scope == Scope{}) {
      return ReadProfiles(table);
    }
    const std::string name =
        scope.command.empty() ? std::string(key) : fmt::format("{} {}", scope.command, key);
    if (FindCommand(name) == nullptr) {
      return Refuse(table, fmt::format("no command is called '{}'", Shown(name)),
                    "a table is named as the command it is for: [run], [jobs.list]");
    }
    return ReadTable(table, {.profile = scope.profile, .command = name});
  }

  Result<void> ReadValue(std::string_view key, const toml::node& node, const Scope& scope) {
    const CommandSpec* command = scope.command.empty() ? nullptr : FindCommand(scope.command);
    const std::string name = fmt::format("--{}", key);
    const OptionSpec* option = FindSetting(command, name);
    if (option == nullptr) {
      return RefuseKey(key, node, command);
    }
    auto values = ValuesOf(node, option->kind);
    if (!values) {
      return Refuse(node, fmt::format("{}: expected {}", key, ExpectedType(option->kind)), "");
    }
    file_.scopes_[scope][name] = {.values = std::move(*values), .line = node.source().begin.line};
    return {};
  }

  std::unexpected<Error> RefuseKey(std::string_view key, const toml::node& node,
                                   const CommandSpec* command) const {
    const std::string where = command == nullptr ? "" : fmt::format(" of '{}'", command->name);
    const auto names = SettingNames(command);
    const std::string_view nearest = NearestWord(key, names);
    return Refuse(node, fmt::format("'{}' is no setting{}", Shown(key), where),
                  nearest.empty() ? "`sluice config show` lists the settings"
                                  : fmt::format("did you mean '{}'?", nearest));
  }

  ConfigFile& file_;
};

Result<ConfigFile> ConfigFile::Parse(std::string_view text, std::string path) {
  ConfigFile file(std::move(path));
  // The parser takes a byte that is no UTF-8 for the end of the world, but says less about it.
  if (const auto fault = FindInvalidUtf8(text)) {
    return Fail(ErrorCode::kUsage,
                fmt::format("{}: byte {} is not valid UTF-8", file.path_, *fault));
  }
  toml::table table;
  try {
    table = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return Fail(ErrorCode::kUsage,
                fmt::format("{}:{}:{}: {}", file.path_, error.source().begin.line,
                            error.source().begin.column, EscapeControls(error.description())),
                kTomlHint);
  } catch (const std::invalid_argument&) {
    return Fail(
        ErrorCode::kUsage,
        fmt::format("{}: the name of a table or of a setting is not well formed", file.path_),
        kTomlHint);
  }
  SLUICE_TRY(Reader(file).ReadTable(table, Scope{}));
  return file;
}

bool ConfigFile::HasProfile(std::string_view name) const {
  return std::ranges::any_of(scopes_,
                             [name](const auto& entry) { return entry.first.profile == name; });
}

const ConfigValue* ConfigFile::FindIn(const Scope& scope, std::string_view option) const {
  const auto values = scopes_.find(scope);
  if (values == scopes_.end()) {
    return nullptr;
  }
  const auto value = values->second.find(option);
  return value == values->second.end() ? nullptr : &value->second;
}

const ConfigValue* ConfigFile::Find(const CommandSpec& command, std::string_view option,
                                    std::string_view profile) const {
  std::vector<Scope> scopes;
  if (!profile.empty()) {
    scopes.push_back({.profile = std::string(profile), .command = std::string(command.name)});
    scopes.push_back({.profile = std::string(profile)});
  }
  scopes.push_back({.command = std::string(command.name)});
  scopes.push_back({});
  for (const Scope& scope : scopes) {
    if (const ConfigValue* value = FindIn(scope, option); value != nullptr) {
      return value;
    }
  }
  return nullptr;
}

const ConfigValue* ConfigFile::FindAnywhere(std::string_view option) const {
  for (const auto& [scope, values] : scopes_) {
    if (const ConfigValue* value = FindIn(scope, option); value != nullptr) {
      return value;
    }
  }
  return nullptr;
}

}  // namespace sluice
