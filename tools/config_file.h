// ConfigFile: values for options, kept in a TOML file. A pure reading of its text: where files are
// looked for and which one holds is the business of tools/settings.h. Immutable, thread-safe.
//
//   threads = 4              # for every command that has the option
//   [run]                    # for one command
//   poll = "30s..5m"
//   [profile.night]          # with --profile night: goes before what stands outside of it
//   poll = "2m..10m"
//   [profile.night.run]
//   deadline = "8h"
//
// A key is the long name of an option without its dashes; unknown keys are errors. Settings are
// what holds from one time to the next: what is about one invocation alone (outputs, run folders,
// answers to questions, commands to execute) can be given on the command line only.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/base/error.h"
#include "tools/option_table.h"

namespace sluice {

struct ConfigValue {
  std::vector<std::string> values = {};  // as on the command line; none: a flag that is off
  size_t line = 0;
};

class ConfigFile {
 public:
  // Larger ones are refused: nobody writes as many settings.
  static constexpr uint64_t kBytesMax = uint64_t{1} << 20;

  // `path` is what messages call it. Errors: kUsage with path and line.
  [[nodiscard]] static Result<ConfigFile> Parse(std::string_view text, std::string path);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool HasProfile(std::string_view name) const;
  // The nearest value: of the profile for this command, of the profile, for this command, of all.
  // Null when there is none. `profile` may be empty.
  [[nodiscard]] const ConfigValue* Find(const CommandSpec& command, std::string_view option,
                                        std::string_view profile) const;
  // Any value for the option, wherever it stands; null when there is none.
  [[nodiscard]] const ConfigValue* FindAnywhere(std::string_view option) const;

 private:
  struct Scope {
    std::string profile = {};
    std::string command = {};
    auto operator<=>(const Scope&) const = default;
  };
  using Values = std::map<std::string, ConfigValue, std::less<>>;  // by option name ("--poll")
  class Reader;

  explicit ConfigFile(std::string path) : path_(std::move(path)) {}
  [[nodiscard]] const ConfigValue* FindIn(const Scope& scope, std::string_view option) const;

  std::string path_;
  std::map<Scope, Values> scopes_;
};

// Whether a file may hold a value for the option.
[[nodiscard]] bool IsSetting(const OptionSpec& option);

}  // namespace sluice
