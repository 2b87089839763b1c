#include <fmt/format.h>
#include <string>
#include <string_view>

#include "tools/completion.h"
#include "tools/option_table.h"
#include "tools/words.h"

namespace sluice {
namespace {

constexpr std::string_view kFunction = R"(
# Whether the command typed so far is the given one.
function __sluice_at
    set -l found
    for word in (commandline -opc)[2..-1]
        set -l next (string trim -- "$found $word")
        contains -- $next $__sluice_commands; and set found $next
    end
    test "$found" = "$argv"
end

complete -c sluice -f
)";

std::string Quote(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') {
      quoted += '\\';
    }
    quoted += c;
  }
  return quoted + '\'';
}

// What `complete` is told about a value.
std::string Value(std::string_view metavar) {
  switch (KindOfValue(metavar)) {
    case ValueKind::kWords:
      return fmt::format(" -x -a '{}'", fmt::join(SplitText(metavar, '|'), " "));
    case ValueKind::kFile:
      return " -r -F";
    case ValueKind::kFolder:
      return " -x -a '(__fish_complete_directories)'";
    case ValueKind::kAnything:
      return " -x";
  }
  return "";
}

// The beginning of every line about one place.
std::string At(const CommandSpec* command) {
  return fmt::format("complete -c sluice -n '__sluice_at{}{}'", command == nullptr ? "" : " ",
                     command == nullptr ? "" : command->name);
}

std::string OptionLine(const CommandSpec* command, const OptionSpec& option) {
  std::string line = At(command);
  for (const std::string_view name : SplitText(option.names, ',')) {
    line += name.starts_with("--") ? fmt::format(" -l {}", name.substr(2))
                                   : fmt::format(" -s {}", name.substr(1));
  }
  line += TakesValue(option) ? Value(option.metavar) : "";
  return line + " -d " + Quote(option.help) + '\n';
}

// What may stand at this place and is no flag.
std::string WordLines(const CommandSpec* command) {
  if (command != nullptr && VerbsOf(*command).empty()) {
    return KindOfValue(command->positional) == ValueKind::kAnything
               ? ""
               : At(command) + Value(command->positional) + '\n';
  }
  std::string text;
  for (const CommandSpec* next : CommandsBelow(command)) {
    text += fmt::format("{} -a {} -d {}\n", At(command), LastWord(*next), Quote(next->summary));
  }
  return text;
}

std::string Place(const CommandSpec* command) {
  std::string text = WordLines(command);
  for (const OptionSpec* option : AllOptions(command)) {
    text += option->help.empty() ? "" : OptionLine(command, *option);
  }
  return text;
}

}  // namespace

std::string FishCompletion() {
  std::string text = "# fish completion for sluice, made by `sluice completion fish`.\n";
  std::string names;
  std::string places = Place(nullptr);
  for (const CommandSpec& command : Commands()) {
    names += ' ' + Quote(command.name);
    places += Place(&command);
  }
  text += "set -g __sluice_commands" + names + '\n';
  text += kFunction;
  return text + places;
}

}  // namespace sluice
