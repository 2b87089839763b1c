#include "tools/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>
#include <fmt/format.h>

#include "tools/terminal.h"
#include "tools/words.h"

namespace sluice {
namespace {

// What CLI11 writes the values of one option into.
struct Binding {
  const OptionSpec* spec = nullptr;
  CLI::Option* option = nullptr;
  std::vector<std::string> values;
};

// Pointers into it are held by CLI11, so it must not move its elements.
using Bindings = std::deque<Binding>;

void BindOption(CLI::App& app, const OptionSpec& spec, Bindings& bindings) {
  Binding& binding = bindings.emplace_back();
  binding.spec = &spec;
  const std::string names(spec.names);
  switch (spec.kind) {
    case OptionKind::kFlag:
    case OptionKind::kCounted:
      binding.option = app.add_flag(names);
      return;
    case OptionKind::kOptional:
      binding.option = app.add_option(names, binding.values)->expected(0, 1);
      return;
    case OptionKind::kText:
    case OptionKind::kChoice:
    case OptionKind::kList:
      binding.option = app.add_option(names, binding.values)->allow_extra_args(false);
      return;
  }
}

void Collect(const Bindings& bindings, Arguments& arguments) {
  for (const Binding& binding : bindings) {
    if (binding.option->count() > 0) {
      auto& values = arguments.values[std::string(OptionName(*binding.spec))];
      values.insert(values.end(), binding.values.begin(), binding.values.end());
      if (values.empty()) {
        values.emplace_back();
      }
    }
  }
}

std::unexpected<Error> RefuseUnknown(std::string_view what, std::string_view word,
                                     std::string_view where, std::string_view nearest,
                                     std::string_view help) {
  std::string message = fmt::format("unknown {} '{}'{}", what, EscapeControls(word), where);
  if (!nearest.empty()) {
    return Fail(ErrorCode::kUsage, message + fmt::format(". Did you mean '{}'?", nearest));
  }
  return Fail(ErrorCode::kUsage, message, fmt::format("see {}", help));
}

// "sluice --help", "sluice jobs --help".
std::string HelpWords(const CommandSpec* command) {
  return command == nullptr ? "sluice --help" : fmt::format("sluice {} --help", command->name);
}

// `noun` is null for a word that is no command at all.
std::unexpected<Error> RefuseCommand(std::string_view word, const CommandSpec* noun) {
  const std::string prefix = noun == nullptr ? "" : fmt::format("{} ", noun->name);
  std::vector<std::string_view> names;
  for (const CommandSpec* command : CommandsBelow(noun)) {
    names.push_back(LastWord(*command));
  }
  const std::string_view nearest = NearestWord(word, names);
  return RefuseUnknown("command", prefix + std::string(word), "",
                       nearest.empty() ? "" : prefix + std::string(nearest), HelpWords(noun));
}

std::unexpected<Error> RefuseFlag(std::string_view word, const CommandSpec* command) {
  const std::string_view flag = word.substr(0, word.find('='));
  std::vector<std::string_view> names;
  for (const OptionSpec* option : AllOptions(command)) {
    if (!option->help.empty()) {
      names.push_back(OptionName(*option));
    }
  }
  const std::string where = command == nullptr ? "" : fmt::format(" for '{}'", command->name);
  return RefuseUnknown("flag", flag, where, NearestWord(flag, names), HelpWords(command));
}

// What CLI11 could not place.
Result<void> RefuseExtras(const std::vector<std::string>& extras, const CommandSpec* command) {
  for (const std::string& word : extras) {
    if (word.starts_with('-') && word != "-") {
      return RefuseFlag(word, command);
    }
  }
  return extras.empty() ? Result<void>() : RefuseCommand(extras.front(), command);
}

Result<void> CheckPositionals(const Arguments& arguments) {
  const CommandSpec& command = *arguments.command;
  if (arguments.positionals.size() <= command.positional_max) {
    return {};
  }
  return Fail(
      ErrorCode::kUsage,
      fmt::format("unexpected argument '{}' for '{}'",
                  EscapeControls(arguments.positionals[command.positional_max]), command.name),
      fmt::format("see {}", HelpWords(&command)));
}

struct CommandParser {
  const CommandSpec* command = nullptr;
  CLI::App* app = nullptr;
  Bindings bindings;
  std::vector<std::string> positionals;
};

using CommandParsers = std::deque<CommandParser>;

// Of a noun its verbs, too.
void BindCommand(CLI::App& parent, const CommandSpec& command, CommandParsers& parsers) {
  CommandParser& parser = parsers.emplace_back();
  parser.command = &command;
  parser.app = parent.add_subcommand(std::string(LastWord(command)));
  parser.app->set_help_flag();
  parser.app->allow_extras();
  parser.app->require_subcommand(0, 1);
  for (const OptionSpec* option : AllOptions(&command)) {
    BindOption(*parser.app, *option, parser.bindings);
  }
  const auto verbs = VerbsOf(command);
  if (verbs.empty()) {
    parser.app->add_option("positionals", parser.positionals);
  }
  for (const CommandSpec& verb : verbs) {
    BindCommand(*parser.app, verb, parsers);
  }
}

Result<void> ParseWords(CLI::App& root, std::vector<std::string> words) {
  std::ranges::reverse(words);
  try {
    root.parse(std::move(words));
  } catch (const CLI::ArgumentMismatch& error) {
    // "--dim: 1 required TEXT missing": only the name of the flag is of use.
    const std::string_view message = error.what();
    return Fail(ErrorCode::kUsage,
                fmt::format("flag '{}' needs a value", message.substr(0, message.find(':'))));
  } catch (const CLI::ParseError& error) {
    return Fail(ErrorCode::kUsage, EscapeControls(error.what()), "see sluice --help");
  }
  return {};
}

// What was given for the command and, where it is a verb, for its noun.
Result<void> CollectCommand(const CommandParsers& parsers, Arguments& arguments) {
  for (const CommandParser& parser : parsers) {
    if (parser.app->parsed()) {
      arguments.command = parser.command;
      arguments.positionals = parser.positionals;
      Collect(parser.bindings, arguments);
      SLUICE_TRY(RefuseExtras(parser.app->remaining(), parser.command));
    }
  }
  return {};
}

}  // namespace

Result<Arguments> ParseCommandLine(std::span<const std::string> words) {
  CLI::App root;
  root.set_help_flag();
  root.allow_extras();
  root.require_subcommand(0, 1);
  Bindings bindings;
  for (const OptionSpec* option : AllOptions(nullptr)) {
    BindOption(root, *option, bindings);
  }
  CommandParsers parsers;
  for (const CommandSpec* command : CommandsBelow(nullptr)) {
    BindCommand(root, *command, parsers);
  }

  Arguments arguments;
  arguments.words.assign(words.begin(), words.end());
  // What stands behind "--" is never a flag; CLI11 sees only what stands before.
  const auto mark = std::ranges::find(words, "--");
  SLUICE_TRY(ParseWords(root, {words.begin(), mark}));
  SLUICE_TRY(CollectCommand(parsers, arguments));
  SLUICE_TRY(RefuseExtras(root.remaining(), nullptr));
  Collect(bindings, arguments);
  if (arguments.command != nullptr) {
    if (mark != words.end()) {
      arguments.positionals.insert(arguments.positionals.end(), mark + 1, words.end());
    }
    SLUICE_TRY(CheckPositionals(arguments));
  }
  return arguments;
}

}  // namespace sluice
