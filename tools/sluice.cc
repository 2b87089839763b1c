#include "tools/sluice.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fmt/format.h>
#include <poll.h>
#include <string>
#include <unistd.h>
#include <vector>

#include "tools/bench_command.h"
#include "tools/cancel_command.h"
#include "tools/command_context.h"
#include "tools/command_line.h"
#include "tools/completion.h"
#include "tools/config_command.h"
#include "tools/emulate_command.h"
#include "tools/files_commands.h"
#include "tools/help_command.h"
#include "tools/jobs_commands.h"
#include "tools/man_page.h"
#include "tools/neighbors_command.h"
#include "tools/prepare_command.h"
#include "tools/retry_command.h"
#include "tools/run_command.h"
#include "tools/settings.h"
#include "tools/status_command.h"
#include "tools/verify_command.h"
#include "tools/version.h"

namespace sluice {
namespace {

Result<int> VersionCommand(const CommandContext& context) {
  context.console.Print(
      context.console.json
          ? fmt::format("{{\"v\":1,\"type\":\"version\",\"version\":\"{}\"}}\n", kVersion)
          : fmt::format("sluice {}\n", kVersion));
  return 0;
}

Result<int> Dispatch(const CommandContext& context) {
  struct Entry {
    std::string_view name;
    Result<int> (*run)(const CommandContext& context);
  };
  constexpr Entry kEntries[] = {
      {"run", RunCommand},
      {"prepare", PrepareCommand},
      {"status", StatusCommand},
      {"verify", VerifyCommand},
      {"retry", RetryCommand},
      {"cancel", CancelCommand},
      {"neighbors", NeighborsCommand},
      {"jobs create", JobsCreateCommand},
      {"jobs create-embeddings", JobsCreateEmbeddingsCommand},
      {"jobs get", JobsGetCommand},
      {"jobs list", JobsListCommand},
      {"jobs wait", JobsWaitCommand},
      {"jobs cancel", JobsCancelCommand},
      {"jobs delete", JobsDeleteCommand},
      {"jobs responses", JobsResponsesCommand},
      {"files upload", FilesUploadCommand},
      {"files get", FilesGetCommand},
      {"files list", FilesListCommand},
      {"files delete", FilesDeleteCommand},
      {"files download", FilesDownloadCommand},
      {"emulate", EmulateCommand},
      {"bench", BenchCommand},
      {"bench generate", BenchGenerateCommand},
      {"config show", ConfigShowCommand},
      {"config path", ConfigPathCommand},
      {"help", HelpCommand},
      {"completion", CompletionCommand},
      {"version", VersionCommand},
  };
  const Arguments& arguments = context.arguments;
  const CommandSpec* command = arguments.command;
  if (arguments.Has("--version")) {
    return VersionCommand(context);
  }
  if (arguments.Has("--dump-man")) {
    context.console.Print(ManPage());
    return 0;
  }
  if (command == nullptr || arguments.Has("--help")) {
    return HelpCommand(context);
  }
  const auto* entry = std::ranges::find(kEntries, command->name, &Entry::name);
  if (entry == std::end(kEntries)) {
    SLUICE_CHECK(!VerbsOf(*command).empty(), "a command of the table that does nothing");
    return HelpCommand(context);
  }
  return entry->run(context);
}

// How errors shall look is wanted even when the rest of the words cannot be parsed.
Arguments ReadAppearance(const std::vector<std::string>& words) {
  Arguments arguments;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    constexpr std::string_view kColor = "--color";
    if (word == "--json") {
      arguments.values["--json"] = {""};
    } else if (word == kColor && i + 1 < words.size()) {
      arguments.values["--color"] = {words[i + 1]};
    } else if (word.starts_with(kColor) && word.substr(kColor.size()).starts_with('=')) {
      arguments.values["--color"] = {std::string(word.substr(kColor.size() + 1))};
    }
  }
  return arguments;
}

Console MakeConsole(const Arguments& arguments) {
  const std::string color = arguments.TextOr("--color", "auto");
  const ColorChoice choice = color == "always"  ? ColorChoice::kAlways
                             : color == "never" ? ColorChoice::kNever
                                                : ColorChoice::kAuto;
  return {.json = arguments.Has("--json"),
          .quiet = arguments.Has("--quiet"),
          .out = DescribeTerminal(STDOUT_FILENO, choice),
          .err = DescribeTerminal(STDERR_FILENO, choice)};
}

// Results that could not be written are not results.
Result<void> FlushResults() {
  errno = 0;
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    return std::unexpected(SystemError("write to", "standard output", errno));
  }
  return {};
}

// Whoever read the results took what it wanted and went, as `head` does: no news to anybody.
bool ReaderOfResultsLeft() {
  pollfd out{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
  return std::ferror(stdout) != 0 && poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

Result<int> Execute(const CommandContext& context) {
  SLUICE_TRY(CheckChoices(context.arguments));
  SLUICE_ASSIGN(const int exit_code, Dispatch(context));
  SLUICE_TRY(FlushResults());
  return exit_code;
}

}  // namespace

int RunCommandLine(int argc, const char* const* argv, Signals& signals) {
  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  Result<Arguments> parsed = ParseCommandLine(words);
  Arguments arguments = parsed.has_value() ? *parsed : ReadAppearance(words);
  ReadEnvironment(arguments);
  if (parsed.has_value()) {
    const auto files = MakePosixFileSystem();
    if (const auto read = ReadSettings(arguments, *files); !read.has_value()) {
      parsed = std::unexpected(read.error());
    }
  }
  const Console console = MakeConsole(arguments);
  if (!parsed.has_value()) {
    console.PrintError(parsed.error());
    return ExitCode(parsed.error().code);
  }
  const Result<int> result = Execute({arguments, console, signals});
  if (result.has_value()) {
    return *result;
  }
  // What a signal stopped is not a failure of its own: the state is saved, and the caller learns
  // the signal from the exit code.
  if (result.error().code == ErrorCode::kUnfinished && signals.received() != 0) {
    return 128 + signals.received();
  }
  if (!ReaderOfResultsLeft()) {
    console.PrintError(result.error());
  }
  return ExitCode(result.error().code);
}

}  // namespace sluice
