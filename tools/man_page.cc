#include "tools/man_page.h"

#include <algorithm>
#include <fmt/format.h>
#include <span>
#include <string_view>
#include <vector>

#include "tools/help_command.h"
#include "tools/option_table.h"
#include "tools/version.h"
#include "tools/words.h"

namespace sluice {
namespace {

// `text` so that roff shows it as it stands.
std::string Escape(std::string_view text) {
  std::string escaped;
  bool line_begins = true;
  for (const char c : text) {
    if (line_begins && (c == '.' || c == '\'')) {
      escaped += "\\&";
    }
    switch (c) {
      case '\\':
        escaped += "\\e";
        break;
      case '-':
        escaped += "\\-";
        break;
      case '\'':
        escaped += "\\(aq";
        break;
      case '`':
        escaped += "\\(ga";
        break;
      case '~':
        escaped += "\\(ti";
        break;
      default:
        escaped += c;
    }
    line_begins = c == '\n';
  }
  return escaped;
}

std::string Bold(std::string_view text) { return "\\fB" + Escape(text) + "\\fR"; }
std::string Italic(std::string_view text) { return "\\fI" + Escape(text) + "\\fR"; }

std::string Section(std::string_view heading) { return fmt::format(".SH {}\n", Escape(heading)); }

// Lines that keep their shape.
std::string Verbatim(std::string_view text) {
  return fmt::format(".PP\n.nf\n{}{}.fi\n", Escape(text), text.ends_with('\n') ? "" : "\n");
}

std::string Option(const OptionSpec& option) {
  std::vector<std::string> names;
  for (const std::string_view name : SplitText(option.names, ',')) {
    names.push_back(Bold(name));
  }
  std::string text = fmt::format(".TP\n{}", fmt::join(names, ", "));
  if (option.kind == OptionKind::kOptional) {
    text += fmt::format("[={}]", Italic(option.metavar));
  } else if (!option.metavar.empty()) {
    text += ' ' + Italic(option.metavar);
  }
  text += '\n' + Escape(option.help) + '\n';
  return option.environment.empty() ? text
                                    : text + fmt::format("(environment: {})\n", option.environment);
}

std::string Options(std::span<const OptionSpec> options) {
  std::string text;
  for (const OptionSpec& option : options) {
    text += option.help.empty() ? "" : Option(option);
  }
  return text;
}

std::string Command(const CommandSpec& command) {
  const std::string positional =
      command.positional.empty() ? "" : ' ' + std::string(command.positional);
  std::string text = fmt::format(".SS \"sluice {}{}{}\"\n{}.\n", command.name,
                                 command.options.empty() ? "" : " [OPTIONS]", Escape(positional),
                                 Escape(command.summary));
  if (!command.description.empty()) {
    text += ".PP\n" + Escape(command.description) + '\n';
  }
  text += Options(command.options);
  return command.examples.empty() ? text : text + Verbatim(command.examples);
}

// Those that several commands share, each once.
std::string SharedOptions() {
  std::string text;
  std::vector<const OptionSpec*> seen;
  for (const CommandSpec& command : Commands()) {
    const OptionSpec* options = command.shared_options.data();
    if (options != nullptr && std::ranges::find(seen, options) == seen.end()) {
      seen.push_back(options);
      text += Options(command.shared_options);
    }
  }
  return text;
}

std::string CommonOptions() {
  std::string text;
  for (const OptionSpec* option : AllOptions(nullptr)) {
    text += Options({option, 1});
  }
  return text;
}

std::string Topic(std::string_view name) { return Verbatim(HelpTopic(name).value()); }

}  // namespace

std::string ManPage() {
  std::string text = fmt::format(".TH SLUICE 1 \"\" \"sluice {}\" \"User Commands\"\n", kVersion);
  text += Section("NAME") +
          "sluice \\- turn a corpus into batch jobs and the answers back into arrays\n";
  text += Section("SYNOPSIS") + Bold("sluice") + ' ' + Italic("COMMAND") + " [" +
          Italic("ARGUMENTS") + "]\n";
  text += Section("DESCRIPTION") +
          "sluice packs a document collection into batch jobs of an embedding or generation "
          "service,\nfollows them, and writes the answers as one array or file in input order.\n"
          "Results go to standard output, progress and errors to standard error.\n";
  text += Section("COMMANDS");
  for (const CommandSpec& command : Commands()) {
    text += OnlyNamesVerbs(command) ? "" : Command(command);
  }
  text += Section("OPTIONS OF ALL COMMANDS") + CommonOptions();
  text += Section("OPTIONS OF JOBS AND FILES") + SharedOptions();
  text += Section("ENVIRONMENT") + Topic("environment");
  text += Section("FILES") + Topic("formats");
  return text + Section("EXIT STATUS") + Topic("exit-codes");
}

}  // namespace sluice
