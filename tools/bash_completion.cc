#include <fmt/format.h>
#include <string>
#include <string_view>
#include <vector>

#include "tools/completion.h"
#include "tools/option_table.h"
#include "tools/words.h"

namespace sluice {
namespace {

// What stands before the table. Bash cuts "--color=auto" into three words. Where COMPREPLY stays
// empty, bash completes file names (-o default), unless that is switched off.
constexpr std::string_view kBegin =
    R"(# bash completion for sluice, made by `sluice completion bash`.
_sluice() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local command="" words="" files="" i
  COMPREPLY=()
  if [[ $current == "=" ]]; then
    current=""
  elif [[ $previous == "=" ]]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "${command:+$command }${COMP_WORDS[i]}" in
)";

constexpr std::string_view kAfterCommands = R"(
        command="${command:+$command }${COMP_WORDS[i]}" ;;
    esac
  done
  case "$command $previous" in
)";

constexpr std::string_view kAfterValues = R"(    *)
      if [[ $current == -* ]]; then
        case "$command" in
)";

constexpr std::string_view kAfterFlags = R"(        esac
      else
        case "$command" in
)";

constexpr std::string_view kEnd = R"(        esac
      fi ;;
  esac
  [[ -n $files ]] || compopt +o default 2>/dev/null
  [[ $files == folders ]] && COMPREPLY=($(compgen -d -- "$current"))
  [[ -n $words ]] && COMPREPLY=($(compgen -W "$words" -- "$current"))
  return 0
}
complete -o default -F _sluice sluice
)";

std::string Spaced(std::string_view choices) {
  return fmt::format("{}", fmt::join(SplitText(choices, '|'), " "));
}

// What a value of this kind sets; bash's command that does nothing for one that may be anything.
std::string Offer(std::string_view metavar) {
  switch (KindOfValue(metavar)) {
    case ValueKind::kWords:
      return fmt::format("words=\"{}\"", Spaced(metavar));
    case ValueKind::kFile:
      return "files=files";
    case ValueKind::kFolder:
      return "files=folders";
    case ValueKind::kAnything:
      break;
  }
  return ":";
}

std::string_view NameOf(const CommandSpec* command) {
  return command == nullptr ? "" : command->name;
}

// "run -o" | "run --output") files=files ;;
std::string ValueCases(const CommandSpec* command) {
  std::string text;
  for (const OptionSpec* option : AllOptions(command)) {
    if (!TakesValue(*option)) {
      continue;
    }
    std::vector<std::string> patterns;
    for (const std::string_view name : SplitText(option->names, ',')) {
      patterns.push_back(fmt::format("\"{} {}\"", NameOf(command), name));
    }
    text += fmt::format("    {}) {} ;;\n", fmt::join(patterns, " | "), Offer(option->metavar));
  }
  return text;
}

std::string FlagCase(const CommandSpec* command) {
  std::vector<std::string_view> flags;
  for (const OptionSpec* option : AllOptions(command)) {
    if (!option->help.empty()) {
      flags.push_back(OptionName(*option));
    }
  }
  return fmt::format("          \"{}\") words=\"{}\" ;;\n", NameOf(command), fmt::join(flags, " "));
}

// What may stand at this place and is no flag: a command, a verb, a value.
std::string WordCase(const CommandSpec* command) {
  std::vector<std::string_view> below;
  if (command == nullptr || !VerbsOf(*command).empty()) {
    for (const CommandSpec* next : CommandsBelow(command)) {
      below.push_back(LastWord(*next));
    }
  }
  const std::string offer = below.empty() ? Offer(command->positional)
                                          : fmt::format("words=\"{}\"", fmt::join(below, " "));
  return fmt::format("          \"{}\") {} ;;\n", NameOf(command), offer);
}

}  // namespace

std::string BashCompletion() {
  std::vector<const CommandSpec*> places = {nullptr};
  std::vector<std::string> patterns;
  for (const CommandSpec& command : Commands()) {
    places.push_back(&command);
    patterns.push_back(fmt::format("\"{}\"", command.name));
  }
  std::string values;
  std::string flags;
  std::string words;
  for (const CommandSpec* place : places) {
    values += ValueCases(place);
    flags += FlagCase(place);
    words += WordCase(place);
  }
  std::string text(kBegin);
  text += fmt::format("      {})", fmt::join(patterns, " | "));
  text += kAfterCommands;
  text += values;
  text += kAfterValues;
  text += flags;
  text += kAfterFlags;
  text += words;
  return text += kEnd;
}

}  // namespace sluice
