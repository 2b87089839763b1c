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
  std::string_view help;
};

struct CommandSpec {
  std::string_view name;
  std::string_view summary;     // one line, for the list of commands
  std::string_view positional;  // "INPUT..."; empty: none
  size_t positional_max = 0;
  std::string_view description;
  std::span<const OptionSpec> options;
  std::string_view examples;
};

[[nodiscard]] std::span<const CommandSpec> Commands();
// Taken by every command, and before its name too.
[[nodiscard]] std::span<const OptionSpec> CommonOptions();
[[nodiscard]] const CommandSpec* FindCommand(std::string_view name);

// "--output" of "-o,--output".
[[nodiscard]] std::string_view OptionName(const OptionSpec& option);

// The candidate nearest to `word` by edit distance, when it is at most 2 and nearer than writing
// the whole word anew; else an empty view.
[[nodiscard]] std::string_view NearestWord(std::string_view word,
                                           std::span<const std::string_view> candidates);

// `text` cut at every `separator`.
[[nodiscard]] std::vector<std::string_view> SplitText(std::string_view text, char separator);

}  // namespace sluice
