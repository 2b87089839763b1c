// The commands and their options, as data: the parser, the help pages and the suggestions for
// mistyped names all read this one table. Immutable.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace sluice {

enum class OptionKind {
  kFlag,      // stands alone
  kCounted,   // stands alone, counts
  kText,      // one value; the last one given holds
  kList,      // one value each time, all hold
  kChoice,    // one of the words of the metavar, which are separated by '|'
  kOptional,  // "--watch" or "--watch=2s"
};

struct OptionSpec {
  std::string_view names;  // "-o,--output"; the last one is its name for Arguments
  OptionKind kind = OptionKind::kFlag;
  std::string_view metavar;      // what stands for the value in --help
  std::string_view environment;  // the variable that stands in for the flag, or empty
  std::string_view group;        // heading in --help
  std::string_view help;         // empty: not shown to people
};

struct CommandSpec {
  std::string_view name;        // "run"; of a verb with its noun before it: "jobs list"
  std::string_view summary;     // one line, for the list of commands
  std::string_view positional;  // "INPUT...", "bash|zsh" for one of these words; empty: none
  size_t positional_max = 0;
  std::string_view description;
  std::span<const OptionSpec> options;
  std::string_view examples;
  std::span<const OptionSpec> shared_options = {};  // that several commands take alike
};

// All of them; a noun stands right before its verbs.
[[nodiscard]] std::span<const CommandSpec> Commands();
[[nodiscard]] const CommandSpec* FindCommand(std::string_view name);

// "jobs list" is a verb of the noun "jobs".
[[nodiscard]] bool IsVerb(const CommandSpec& command);
[[nodiscard]] std::string_view LastWord(const CommandSpec& command);  // "list"
// Empty for what is no noun.
[[nodiscard]] std::span<const CommandSpec> VerbsOf(const CommandSpec& command);
// A noun that does nothing without a verb.
[[nodiscard]] bool OnlyNamesVerbs(const CommandSpec& command);
// What may be typed next: the verbs of `noun`, or with null the commands that are no verbs.
[[nodiscard]] std::vector<const CommandSpec*> CommandsBelow(const CommandSpec* noun);

// What a command takes: its own, those that it shares, and those that every command takes; with
// null what may stand before a command.
[[nodiscard]] std::vector<const OptionSpec*> AllOptions(const CommandSpec* command);

// "--output" of "-o,--output".
[[nodiscard]] std::string_view OptionName(const OptionSpec& option);

}  // namespace sluice
