#include "tools/kept_run.h"

#include <string>

#include "engine/kept_options.h"
#include "engine/ledger.h"
#include "engine/run_directory.h"
#include "engine/run_lock.h"
#include "tools/run_folder.h"

namespace sluice {
namespace {

Result<RunOptions> ReadOptions(FileSystem& files, const std::string& run_folder) {
  const RunDirectory directory(run_folder);
  SLUICE_TRY(directory.ExpectRun(files));
  SLUICE_TRY(RunLock::RequireFree(directory.lock()));
  SLUICE_ASSIGN(Ledger ledger, Ledger::OpenToRead(directory.ledger()));
  return KeptOptions(ledger, run_folder);
}

}  // namespace

std::string KeptAddressOfObjects(const std::string& run_folder) {
  auto ledger = Ledger::OpenToRead(RunDirectory(run_folder).ledger());
  const auto kept = ledger.has_value() ? KeptOptions(*ledger, run_folder)
                                       : std::unexpected(std::move(ledger).error());
  return kept.has_value() ? AddressOfObjects({.backend = ParseBackend(kept->backend),
                                              .base_url = kept->base_url})
                          : std::string();
}

Result<RunCommandOptions> ReadKeptRun(const CommandContext& context, FileSystem& files) {
  const Arguments& arguments = context.arguments;
  SLUICE_ASSIGN(const std::string run_folder, FindRunFolder(arguments));
  RunCommandOptions options;
  SLUICE_ASSIGN(options.run, ReadOptions(files, run_folder));
  RunOptions& run = options.run;
  options.service = {.backend = ParseBackend(run.backend),
                     .task = run.request.task,
                     .model = run.request.model,
                     .cloud = run.cloud,
                     .base_url = arguments.TextOr("--base-url", run.base_url),
                     .api_version = arguments.TextOr("--api-version", ""),
                     .api_key_file = arguments.TextOr("--api-key-file", ""),
                     .state_folder = {}};
  SLUICE_TRY(ReadServiceLimits(arguments, options.service));
  run.base_url = options.service.base_url;
  SLUICE_TRY(ReadPace(arguments, run));
  const auto on_error = arguments.Text("--on-error");
  if (on_error.has_value()) {
    run.on_error = ParseOnError(*on_error);
  }
  if (options.service.backend == Backend::kLocal) {
    SuitLocalService(run, options.service);
  }
  options.report_copy = arguments.TextOr("--report", "");
  SLUICE_TRY(ExpectPlacesForResults(options));
  SLUICE_TRY(ReadProgress(arguments, context.console.err.is_terminal, options));
  return options;
}

}  // namespace sluice
