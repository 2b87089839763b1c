#include "tools/help_command.h"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

#include "tools/emulate_command.h"

namespace sluice {
namespace {

constexpr std::string_view kExitCodes =
    R"(EXIT CODES
  0    complete
  1    unexpected error: a mistake of sluice's own
  2    usage: wrong flags, settings that changed since the run began
  3    finished, but some rows failed or some lines were refused
  4    no key, or one that the service does not accept
  5    does not fit a budget or quota
  6    remote jobs failed, expired or were cancelled; the service refused for good
  7    the input cannot be read
  8    another live process works on this run
  75   not finished yet; the same command goes on
  129, 130, 143   stopped by SIGHUP, SIGINT, SIGTERM; the state is saved, the same command goes on

A scheduler may start the same command again after 6, 8, 75 and the signals, should pass 0 and 3 on,
and should give up after the others.
)";

constexpr std::string_view kFormats =
    R"(INPUT
  .jsonl, .ndjson    one JSON object a line, LF ends a line; .gz and .zst behind it are unpacked
  folders, globs     recursive and sorted; each file that is not JSONL is one text document
  -                  JSONL on standard input

OUTPUT
  OUT.npy            float32 [rows, dimension], C order: numpy.load(OUT, mmap_mode='r')
  OUT.ids.jsonl      beside it, one line a row: {"row":0,"id":"...","file":"...","line":1,...}
  OUT.jsonl          answers in input order, one line a document

RUN FOLDER (OUTPUT.sluice)
  report.json        what came of every document, in counts that add up
  rejects.jsonl      lines that were refused: file, line, byte offset, reason and the raw bytes
  failures.jsonl     rows that failed, with their reasons
)";

constexpr std::string_view kDefaults =
    R"(DEFAULTS THAT DEPEND ON THE BACKEND
  gemini   gemini-embedding-001 (embed), gemini-2.5-flash (generate)
  local    sluice-lexical-1 (embed), sluice-echo-1 (generate)
           A service inside sluice that speaks the same protocol. Its vectors are a deterministic
           lexical embedding (hashed words and character n-grams), not a neural model's.

The API key comes from --api-key-file, or from GEMINI_API_KEY or GOOGLE_API_KEY (the latter holds
when both are set, as in the official clients). There is no flag for the key itself.
)";

constexpr size_t kColumn = 30;  // where the help text of an option begins

std::string OptionLine(const OptionSpec& option) {
  const std::vector<std::string_view> names = SplitText(option.names, ',');
  // Long names stand below each other, whether there is a short one or not.
  std::string left = names.size() == 2 ? fmt::format("  {}, {}", names[0], names[1])
                                       : fmt::format("      {}", names[0]);
  if (option.kind == OptionKind::kOptional) {
    left += fmt::format("[={}]", option.metavar);
  } else if (!option.metavar.empty()) {
    left += fmt::format(" {}", option.metavar);
  }
  std::string line = left.size() < kColumn ? fmt::format("{:<{}}", left, kColumn)
                                           : fmt::format("{}\n{:{}}", left, "", kColumn);
  line += option.help;
  if (!option.environment.empty()) {
    line += fmt::format(" [{}]", option.environment);
  }
  return line + '\n';
}

std::string OptionGroups(std::span<const OptionSpec> options) {
  std::string text;
  std::string_view group;
  for (const OptionSpec& option : options) {
    if (option.group != group) {
      group = option.group;
      text += fmt::format("\n{}:\n", group);
    }
    text += OptionLine(option);
  }
  return text;
}

std::string CommandList() {
  std::string text =
      "sluice - turn a corpus into batch jobs and the answers back into arrays\n\n"
      "usage: sluice COMMAND [ARGUMENTS]\n\nCommands:\n";
  for (const CommandSpec& command : Commands()) {
    text += fmt::format("  {:<12}{}\n", command.name, command.summary);
  }
  text += OptionGroups(CommonOptions());
  text +=
      "      --version               version of this build\n"
      "\nStart here, without a key or a network:\n"
      "  sluice run corpus.jsonl --backend local -o vectors.npy\n";
  return text;
}

std::string EnvironmentTopic() {
  std::string text = "ENVIRONMENT (a flag wins over its variable)\n";
  std::vector<std::string_view> seen;
  const auto add = [&](const OptionSpec& option) {
    if (!option.environment.empty() && std::ranges::find(seen, option.environment) == seen.end()) {
      seen.push_back(option.environment);
      text += fmt::format("  {:<24}{}\n", option.environment, OptionName(option));
    }
  };
  std::ranges::for_each(CommonOptions(), add);
  for (const CommandSpec& command : Commands()) {
    std::ranges::for_each(command.options, add);
  }
  text +=
      "  GEMINI_API_KEY          the API key\n"
      "  GOOGLE_API_KEY          the same; holds when both are set\n"
      "  NO_COLOR                no colours\n"
      "  CLICOLOR_FORCE          colours even where no terminal is\n\n";
  return text + std::string(kDefaults);
}

Result<std::string> Topic(std::string_view name) {
  if (const CommandSpec* command = FindCommand(name); command != nullptr) {
    return CommandHelp(*command);
  }
  if (name == "exit-codes") {
    return std::string(kExitCodes);
  }
  if (name == "formats") {
    return std::string(kFormats);
  }
  if (name == "environment") {
    return EnvironmentTopic();
  }
  return Fail(ErrorCode::kUsage, fmt::format("there is no help on '{}'", name),
              "topics: exit-codes, environment, formats, and every command");
}

}  // namespace

std::string CommandHelp(const CommandSpec& command) {
  std::string text = fmt::format("sluice {} - {}\n\nusage: sluice {}", command.name,
                                 command.summary, command.name);
  text += command.options.empty() ? "" : " [OPTIONS]";
  text += command.positional.empty() ? "\n" : fmt::format(" {}\n", command.positional);
  if (!command.description.empty()) {
    text += fmt::format("\n{}\n", command.description);
  }
  text += OptionGroups(command.options);
  if (command.name == "emulate") {
    text += "\nFaults:\n" + FaultList();
  }
  text += OptionGroups(CommonOptions());
  if (!command.examples.empty()) {
    text += fmt::format("\nExamples:\n{}", command.examples);
  }
  return text;
}

Result<int> HelpCommand(const CommandContext& context) {
  const Arguments& arguments = context.arguments;
  const bool asked = arguments.command != nullptr || arguments.Has("--help");
  if (!asked) {
    context.console.Say(CommandList());
    return ExitCode(ErrorCode::kUsage);
  }
  const CommandSpec* command = arguments.command;
  std::string text = CommandList();
  if (command != nullptr && command->name != "help") {
    text = CommandHelp(*command);
  } else if (!arguments.positionals.empty()) {
    SLUICE_ASSIGN(text, Topic(arguments.positionals.front()));
  }
  context.console.Print(text);
  return 0;
}

}  // namespace sluice
