#include "tools/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>
#include <fmt/format.h>

#include "tools/terminal.h"

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

std::unexpected<Error> RefuseCommand(std::string_view word) {
  std::vector<std::string_view> names;
  for (const CommandSpec& command : Commands()) {
    names.push_back(command.name);
  }
  return RefuseUnknown("command", word, "", NearestWord(word, names), "sluice --help");
}

std::unexpected<Error> RefuseFlag(std::string_view word, const CommandSpec* command) {
  const std::string_view flag = word.substr(0, word.find('='));
  std::vector<std::string_view> names;
  const auto add_names = [&names](std::span<const OptionSpec> options) {
    for (const OptionSpec& option : options) {
      names.push_back(OptionName(option));
    }
  };
  add_names(CommonOptions());
  if (command == nullptr) {
    return RefuseUnknown("flag", flag, "", NearestWord(flag, names), "sluice --help");
  }
  add_names(command->options);
  return RefuseUnknown("flag", flag, fmt::format(" for '{}'", command->name),
                       NearestWord(flag, names), fmt::format("sluice {} --help", command->name));
}

// What CLI11 could not place.
Result<void> RefuseExtras(const std::vector<std::string>& extras, const CommandSpec* command) {
  for (const std::string& word : extras) {
    if (word.starts_with('-') && word != "-") {
      return RefuseFlag(word, command);
    }
  }
  return {};
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
      fmt::format("see sluice {} --help", command.name));
}

struct CommandParser {
  const CommandSpec* command = nullptr;
  CLI::App* app = nullptr;
  Bindings bindings;
  std::vector<std::string> positionals;
};

void BindCommand(CLI::App& root, const CommandSpec& command, CommandParser& parser) {
  parser.command = &command;
  parser.app = root.add_subcommand(std::string(command.name));
  parser.app->set_help_flag();
  parser.app->allow_extras();
  for (const OptionSpec& option : command.options) {
    BindOption(*parser.app, option, parser.bindings);
  }
  for (const OptionSpec& option : CommonOptions()) {
    BindOption(*parser.app, option, parser.bindings);
  }
  parser.app->add_option("positionals", parser.positionals);
}

}  // namespace

Result<Arguments> ParseCommandLine(std::span<const std::string> words) {
  CLI::App root;
  root.set_help_flag();
  root.allow_extras();
  root.require_subcommand(0, 1);
  Bindings common;
  for (const OptionSpec& option : CommonOptions()) {
    BindOption(root, option, common);
  }
  bool version = false;
  root.add_flag("--version", version);
  std::deque<CommandParser> parsers;
  for (const CommandSpec& command : Commands()) {
    BindCommand(root, command, parsers.emplace_back());
  }

  Arguments arguments;
  arguments.words.assign(words.begin(), words.end());
  // What stands behind "--" is never a flag; CLI11 sees only what stands before.
  const auto mark = std::ranges::find(words, "--");
  std::vector<std::string> parsed_words(words.begin(), mark);
  std::ranges::reverse(parsed_words);
  try {
    root.parse(std::move(parsed_words));
  } catch (const CLI::ArgumentMismatch& error) {
    // "--dim: 1 required TEXT missing": only the name of the flag is of use.
    const std::string_view message = error.what();
    return Fail(ErrorCode::kUsage,
                fmt::format("flag '{}' needs a value", message.substr(0, message.find(':'))));
  } catch (const CLI::ParseError& error) {
    return Fail(ErrorCode::kUsage, EscapeControls(error.what()), "see sluice --help");
  }
  for (const CommandParser& parser : parsers) {
    if (parser.app->parsed()) {
      arguments.command = parser.command;
      arguments.positionals = parser.positionals;
      Collect(parser.bindings, arguments);
      SLUICE_TRY(RefuseExtras(parser.app->remaining(), parser.command));
      if (mark != words.end()) {
        arguments.positionals.insert(arguments.positionals.end(), mark + 1, words.end());
      }
      SLUICE_TRY(CheckPositionals(arguments));
    }
  }
  SLUICE_TRY(RefuseExtras(root.remaining(), nullptr));
  if (arguments.command == nullptr && !root.remaining().empty()) {
    return RefuseCommand(root.remaining().front());
  }
  Collect(common, arguments);
  if (version) {
    arguments.command = FindCommand("version");
  }
  return arguments;
}

}  // namespace sluice
