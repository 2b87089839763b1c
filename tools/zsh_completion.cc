#include <algorithm>
#include <fmt/format.h>
#include <string>
#include <string_view>
#include <vector>

#include "tools/completion.h"
#include "tools/option_table.h"
#include "tools/words.h"

namespace sluice {
namespace {

// `text` in single quotes, with a backslash before what _arguments and _describe would obey.
std::string Quote(std::string_view text) {
  std::string quoted;
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
      continue;
    }
    if (c == '[' || c == ']' || c == ':' || c == '\\') {
      quoted += '\\';
    }
    quoted += c;
  }
  return quoted;
}

// ":FILE:_files"
std::string Value(std::string_view metavar) {
  std::string action = " ";
  switch (KindOfValue(metavar)) {
    case ValueKind::kWords:
      return fmt::format(":value:({})", fmt::join(SplitText(metavar, '|'), " "));
    case ValueKind::kFile:
      action = "_files";
      break;
    case ValueKind::kFolder:
      action = "_files -/";
      break;
    case ValueKind::kAnything:
      break;
  }
  return fmt::format(":{}:{}", Quote(metavar), action);
}

// One specification for each name; one name rules the others out unless all that are given count.
std::string OptionLines(const OptionSpec& option) {
  const std::vector<std::string_view> names = SplitText(option.names, ',');
  const bool repeats = option.kind == OptionKind::kList || option.kind == OptionKind::kCounted;
  const std::string guard = repeats ? "*" : fmt::format("({})", fmt::join(names, " "));
  std::string text;
  for (const std::string_view name : names) {
    const bool is_long = name.starts_with("--");
    const bool optional = option.kind == OptionKind::kOptional;
    const std::string_view joint = optional ? "=-" : is_long && TakesValue(option) ? "=" : "";
    const std::string value = optional             ? ":" + Value(option.metavar)
                              : TakesValue(option) ? Value(option.metavar)
                                                   : "";
    text += fmt::format("    '{}{}{}[{}]{}' \\\n", guard, name, joint, Quote(option.help), value);
  }
  return text;
}

std::string OptionsOf(const CommandSpec* command) {
  std::string text;
  for (const OptionSpec* option : AllOptions(command)) {
    text += option->help.empty() ? "" : OptionLines(*option);
  }
  return text;
}

// "_sluice_jobs_list"
std::string FunctionName(const CommandSpec* command) {
  std::string name = "_sluice";
  if (command != nullptr) {
    name += '_' + std::string(command->name);
    std::ranges::replace(name, ' ', '_');
  }
  return name;
}

// Of a command without verbs.
std::string LeafFunction(const CommandSpec& command) {
  std::string text = fmt::format("{}() {{\n  _arguments -s -S \\\n{}", FunctionName(&command),
                                 OptionsOf(&command));
  if (!command.positional.empty()) {
    const std::string_view place = command.positional_max > 1 ? "*" : "1";
    text += fmt::format("    '{}{}' \\\n", place, Value(command.positional));
  }
  return text + "    && return\n}\n\n";
}

// Of sluice itself and of a noun: offers what comes next, and hands over to its function.
std::string BranchFunction(const CommandSpec* noun) {
  std::string summaries;
  std::string calls;
  for (const CommandSpec* command : CommandsBelow(noun)) {
    summaries += fmt::format("        '{}:{}'\n", LastWord(*command), Quote(command->summary));
    calls += fmt::format("        {}) {} ;;\n", LastWord(*command), FunctionName(command));
  }
  return fmt::format(
      "{}() {{\n"
      "  local curcontext=$curcontext state line\n"
      "  typeset -A opt_args\n"
      "  _arguments -C \\\n{}"
      "    '1:command:->command' \\\n"
      "    '*::argument:->argument' && return\n"
      "  case $state in\n"
      "    command)\n"
      "      local -a commands=(\n{}      )\n"
      "      _describe -t commands command commands ;;\n"
      "    argument)\n"
      "      case $line[1] in\n{}      esac ;;\n"
      "  esac\n"
      "}}\n\n",
      FunctionName(noun), OptionsOf(noun), summaries, calls);
}

}  // namespace

std::string ZshCompletion() {
  std::string text = "#compdef sluice\n# Made by `sluice completion zsh`.\n\n";
  text += BranchFunction(nullptr);
  for (const CommandSpec& command : Commands()) {
    text += VerbsOf(command).empty() ? LeafFunction(command) : BranchFunction(&command);
  }
  // As a file in $fpath it is the function itself; sourced, it registers it.
  return text +
         "if [[ $funcstack[1] == _sluice ]]; then\n"
         "  _sluice \"$@\"\n"
         "else\n"
         "  compdef _sluice sluice\n"
         "fi\n";
}

}  // namespace sluice
