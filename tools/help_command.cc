#include "tools/help_command.h"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

#include "tools/emulate_command.h"
#include "tools/words.h"

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
  7    the input cannot be read; `verify` found something wrong
  8    another live process works on this run
  75   not finished yet; the same command goes on
  129, 130, 143   stopped by SIGHUP, SIGINT, SIGTERM; the state is saved, the same command goes on

A scheduler may start the same command again after 6, 8, 75 and the signals, should pass 0 and 3 on,
and should give up after the others.
)";

constexpr std::string_view kFormats =
    R"(INPUT
  .jsonl, .ndjson, .json
                     one JSON object a line, LF ends a line; .gz and .zst behind it are unpacked
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

constexpr std::string_view kOtherVariables =
    R"(  GEMINI_API_KEY            the API key
  GOOGLE_API_KEY            the same; holds when both are set
  GOOGLE_VERTEX_BASE_URL    --base-url of --backend vertex and --auth vertex
  GOOGLE_APPLICATION_CREDENTIALS
                            key file of Google Cloud, for Vertex AI and gs:// (docs/sign-in.md)
  SLUICE_GOOGLE_ACCESS_TOKEN
                            an access token instead of a sign-in
  GOOGLE_CLOUD_QUOTA_PROJECT
                            the project whose quota is used
  CLOUDSDK_CONFIG           the folder of gcloud's own sign-in
  GCE_METADATA_HOST         another metadata server; NO_GCE_CHECK=true: none
  STORAGE_EMULATOR_HOST     another Cloud Storage, without a sign-in
  BIGQUERY_EMULATOR_HOST    another BigQuery, without a sign-in
  CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE
                            another address of Cloud Storage, with a sign-in
  NO_COLOR                  no colours
  CLICOLOR_FORCE            colours even where no terminal is

)";

constexpr std::string_view kDefaults =
    R"(DEFAULTS THAT DEPEND ON THE BACKEND
  gemini   gemini-embedding-001 (embed), gemini-2.5-flash (generate)
  vertex   the same models; signs in to Google Cloud, and needs --project, --location and a place
           for shards (--bucket, or --bigquery-dataset for generation models)
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

// With null: of what may stand before a command.
std::string OptionGroups(const CommandSpec* command) {
  std::string text;
  std::string_view group;
  for (const OptionSpec* option : AllOptions(command)) {
    if (option->help.empty()) {
      continue;
    }
    if (option->group != group) {
      group = option->group;
      text += fmt::format("\n{}:\n", group);
    }
    text += OptionLine(*option);
  }
  return text;
}

// The commands, or the verbs of a noun, with their summaries.
std::string CommandTable(const CommandSpec* noun) {
  constexpr size_t kGap = 2;
  const std::vector<const CommandSpec*> commands = CommandsBelow(noun);
  size_t width = 10;
  for (const CommandSpec* command : commands) {
    width = std::max(width, LastWord(*command).size());
  }
  std::string text;
  for (const CommandSpec* command : commands) {
    text += fmt::format("  {:<{}}{}\n", LastWord(*command), width + kGap, command->summary);
  }
  return text;
}

std::string CommandList() {
  std::string text =
      "sluice - turn a corpus into batch jobs and the answers back into arrays\n\n"
      "usage: sluice COMMAND [ARGUMENTS]\n\nCommands:\n";
  text += CommandTable(nullptr);
  text += OptionGroups(nullptr);
  text +=
      "\nStart here, without a key or a network:\n"
      "  sluice run corpus.jsonl --backend local -o vectors.npy\n";
  return text;
}

std::string EnvironmentTopic() {
  std::string text = "ENVIRONMENT (a flag wins over its variable)\n";
  std::vector<std::string_view> seen;
  for (const CommandSpec& command : Commands()) {
    for (const OptionSpec* option : AllOptions(&command)) {
      const std::string_view name = option->environment;
      if (!name.empty() && std::ranges::find(seen, name) == seen.end()) {
        seen.push_back(name);
        text += fmt::format("  {:<26}{}\n", name, OptionName(*option));
      }
    }
  }
  return text + std::string(kOtherVariables) + std::string(kDefaults);
}

}  // namespace

std::string CommandHelp(const CommandSpec& command) {
  std::string text = fmt::format("sluice {} - {}\n\nusage: sluice {}", command.name,
                                 command.summary, command.name);
  text += command.options.empty() ? "" : " [OPTIONS]";
  text += command.positional.empty() ? "\n" : fmt::format(" {}\n", command.positional);
  if (!VerbsOf(command).empty()) {
    text += "\nVerbs:\n" + CommandTable(&command);
  }
  if (!command.description.empty()) {
    text += fmt::format("\n{}\n", command.description);
  }
  text += OptionGroups(&command);
  if (command.name == "emulate") {
    text += "\nFaults:\n" + FaultList();
  }
  if (!command.examples.empty()) {
    text += fmt::format("\nExamples:\n{}", command.examples);
  }
  return text;
}

Result<std::string> HelpTopic(std::string_view name) {
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

Result<int> HelpCommand(const CommandContext& context) {
  const Arguments& arguments = context.arguments;
  const CommandSpec* command = arguments.command;
  const bool is_help = command != nullptr && command->name == "help";
  std::string text = command == nullptr || is_help ? CommandList() : CommandHelp(*command);
  if (is_help && !arguments.positionals.empty()) {
    SLUICE_ASSIGN(text, HelpTopic(fmt::format("{}", fmt::join(arguments.positionals, " "))));
  }
  if (!is_help && !arguments.Has("--help")) {
    context.console.Say(text);
    return ExitCode(ErrorCode::kUsage);
  }
  context.console.Print(text);
  return 0;
}

}  // namespace sluice
