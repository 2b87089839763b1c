#include "tools/emulate_command.h"

#include <csignal>
#include <cstdio>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "api/auth/api_key.h"
#include "io/base/clock.h"
#include "io/file/atomic_file.h"
#include "io/file/temporary_folder.h"
#include "tools/emulator/emulator.h"

namespace sluice {
namespace {

Result<EmulatorOptions> ReadEmulatorOptions(const Arguments& arguments) {
  EmulatorOptions options;
  options.listen = arguments.TextOr("--listen", options.listen);
  options.state_folder = arguments.TextOr("--state", "");
  options.shuffle = !arguments.Has("--no-shuffle");
  options.faults = arguments.List("--fault");
  options.buckets = arguments.List("--bucket");
  options.credentials_file = arguments.TextOr("--credentials-file", "");
  SLUICE_ASSIGN(const auto token_life, arguments.Duration("--token-life"));
  options.token_life = token_life.value_or(options.token_life);
  options.job_latency_max = std::chrono::seconds(2);
  SLUICE_ASSIGN(const auto latency, arguments.Range("--latency"));
  if (latency) {
    options.job_latency_min = latency->first;
    options.job_latency_max = latency->last;
  }
  SLUICE_ASSIGN(const auto seed, arguments.Integer("--seed", 0, INT64_MAX));
  options.seed = static_cast<uint64_t>(seed.value_or(1));
  if (const std::string file = arguments.TextOr("--require-key-file", ""); !file.empty()) {
    SLUICE_ASSIGN(const ApiKey key, FindApiKey(file, [](const std::string&) {
                    return std::optional<std::string>();
                  }));
    options.required_key = key.value;
  }
  return options;
}

// The kernel sends SIGTERM when the parent ends. It may have ended just before that was asked for.
Result<void> EndWithParent() {
  const pid_t parent = getppid();
  if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent) {
    return Fail(ErrorCode::kUnfinished, "the parent process has ended already");
  }
  return {};
}

// The port file first: who reads the line on stdout may count on it.
Result<void> Announce(const CommandContext& context, const Emulator& emulator, FileSystem& files) {
  const std::string port_file = context.arguments.TextOr("--port-file", "");
  if (!port_file.empty()) {
    SLUICE_TRY(WriteFileAtomically(files, port_file, fmt::format("{}\n", emulator.port())));
  }
  context.console.Print(
      context.console.json
          ? fmt::format("{{\"v\":1,\"type\":\"ready\",\"base_url\":\"{}\",\"port\":{}}}\n",
                        emulator.base_url(), emulator.port())
          : emulator.base_url() + '\n');
  std::fflush(stdout);
  return {};
}

}  // namespace

std::string FaultList() {
  std::string text;
  for (const FaultInfo& fault : EmulatorFaults()) {
    const std::string name = fault.argument == FaultArgument::kNone
                                 ? std::string(fault.name)
                                 : fmt::format("{}[={}]", fault.name, fault.fallback);
    text += fmt::format("  {:<34}{}\n", name, fault.effect);
  }
  return text + "  NAME@N or NAME=ARG@N: on the first N occasions only\n";
}

Result<int> EmulateCommand(const CommandContext& context) {
  const Arguments& arguments = context.arguments;
  const auto files = MakePosixFileSystem();
  SystemClock clock;
  if (arguments.Has("--exit-with-parent")) {
    SLUICE_TRY(EndWithParent());
  }
  SLUICE_ASSIGN(const auto time, arguments.Duration("--exit-after"));
  SLUICE_ASSIGN(EmulatorOptions options, ReadEmulatorOptions(arguments));
  std::optional<TemporaryFolder> temporary;
  if (options.state_folder.empty()) {
    SLUICE_ASSIGN(temporary, TemporaryFolder::Make("sluice-emulate-"));
    options.state_folder = temporary->path();
  }
  SLUICE_ASSIGN(const auto emulator, Emulator::Start(std::move(options)));
  SLUICE_TRY(Announce(context, *emulator, *files));
  const auto end = clock.Now() + time.value_or(std::chrono::hours(24 * 365));
  clock.SleepUntil(end, context.signals.stop_token());
  emulator->Stop();
  return 0;
}

}  // namespace sluice
