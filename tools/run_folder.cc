#include "tools/run_folder.h"

#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <string>

#include "engine/run_directory.h"
#include "engine/run_lock.h"
#include "io/corpus/corpus.h"
#include "tools/confirm.h"

namespace sluice {
namespace {

// The newest run folder here.
Result<std::string> FindNewest() {
  namespace fs = std::filesystem;
  std::optional<fs::directory_entry> newest;
  std::error_code error;
  for (fs::directory_iterator entry(".", error); !error && entry != fs::end(entry);
       entry.increment(error)) {
    std::error_code gone;
    const bool is_run = entry->path().extension() == ".sluice" && entry->is_directory(gone);
    if (is_run && (!newest || entry->last_write_time(gone) > newest->last_write_time(gone))) {
      newest = *entry;
    }
  }
  if (!newest) {
    return Fail(ErrorCode::kUsage, "there is no run here (no *.sluice folder)",
                "name one with -C DIR");
  }
  return newest->path().filename().string();
}

// --fresh throws away what may have been paid for: not without a yes.
Result<void> ConfirmFresh(const CommandContext& context, const std::string& run_folder) {
  return Confirm(context, fmt::format("Throw away the state in {}?", run_folder),
                 {.code = ErrorCode::kUsage,
                  .message = fmt::format("--fresh would throw away the state in {}", run_folder),
                  .hint = "add -y if that is meant; without --fresh the run resumes"});
}

// A folder that is no run's is never emptied, whatever -C says.
Result<void> EmptyRunFolder(const RunDirectory& directory, FileSystem& files) {
  if (!files.Exists(directory.ledger()) && !files.Exists(directory.manifest())) {
    return Fail(ErrorCode::kUsage,
                fmt::format("{} is no run folder: --fresh leaves it alone", directory.folder()));
  }
  SLUICE_ASSIGN(const RunLock lock, RunLock::Take(directory.lock()));
  return directory.Clear(files);
}

}  // namespace

Result<std::string> FindRunFolder(const Arguments& arguments) {
  const auto named = arguments.Text("--run");
  return named.has_value() ? Result<std::string>(*named) : FindNewest();
}

Result<void> ReadyRunFolder(const CommandContext& context, const RunCommandOptions& options,
                            FileSystem& files) {
  const RunDirectory directory(options.run.run_folder);
  if (!files.Exists(directory.folder())) {
    SLUICE_TRY(ListCorpusFiles(files, options.run.corpus));
    return {};
  }
  if (context.arguments.Has("--fresh")) {
    SLUICE_TRY(ConfirmFresh(context, directory.folder()));
    return EmptyRunFolder(directory, files);
  }
  SLUICE_TRY(directory.ExpectOwn(files));
  return options.service.backend == Backend::kLocal ? RunLock::RequireFree(directory.lock())
                                                    : Result<void>{};
}

}  // namespace sluice
