#include "engine/prepare_run.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/ledger.h"
#include "engine/run_lock.h"
#include "engine/run_settings.h"
#include "io/file/line_reader.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

ShardLimits LimitsOf(const RunOptions& options, const ProviderTraits& traits) {
  ShardLimits limits = options.limits;
  if (traits.shard_bytes_max > 0) {
    limits.bytes_max = std::min(limits.bytes_max, traits.shard_bytes_max);
  }
  if (traits.shard_rows_max > 0) {
    limits.rows_max = std::min(limits.rows_max, traits.shard_rows_max);
  }
  return limits;
}

// The first refused line, for the message about a corpus of which nothing was accepted.
std::string FirstReject(FileSystem& files, const std::string& path) {
  auto file = files.Open(path, OpenMode::kRead);
  if (!file.has_value()) {
    return {};
  }
  LineReader lines(MakeFileSource(std::move(*file)));
  const auto line = lines.Next();
  if (!line.has_value() || !line->has_value()) {
    return {};
  }
  const Json reject = ParseJson(**line);
  return reject.is_object() ? fmt::format("{}:{}: {}", reject.value("file", ""),
                                          reject.value("line", 0), reject.value("reason", ""))
                            : std::string();
}

PrepareSummary SummaryOf(const Manifest& manifest) {
  PrepareSummary summary{.documents = manifest.end()->next,
                         .rejected = manifest.end()->rejected,
                         .lines_blank = manifest.end()->blank,
                         .shards = manifest.shards().size(),
                         .rejects_path = {},
                         .bound = {}};
  for (const ShardEntry& shard : manifest.shards()) {
    summary.plain_bytes += shard.plain_bytes;
    summary.shard_bytes += shard.compressed_bytes;
    summary.estimated_tokens += shard.tokens;
  }
  return summary;
}

}  // namespace

Result<void> ExpectDocuments(FileSystem& files, const RunDirectory& directory,
                             const PackPosition& end) {
  if (end.next > 0) {
    return {};
  }
  if (end.rejected == 0) {
    return Fail(ErrorCode::kInput, "the corpus holds no documents");
  }
  return Fail(ErrorCode::kInput,
              fmt::format("all {} documents were refused; the first: {}", end.rejected,
                          FirstReject(files, directory.rejects())),
              fmt::format("see {}", directory.rejects()));
}

void CountPacked(const std::vector<CorpusFile>& list, const Manifest& manifest,
                 Progress& progress) {
  for (const CorpusFile& file : list) {
    progress.corpus_bytes_total += file.size;
  }
  progress.documents_packed = manifest.position().next;
  progress.documents_rejected = manifest.position().rejected;
  progress.packing_done = manifest.end().has_value();
  progress.shards_sealed = manifest.shards().size();
  for (const ShardEntry& shard : manifest.shards()) {
    progress.request_bytes += shard.plain_bytes;
    progress.compressed_bytes += shard.compressed_bytes;
  }
}

PackOptions PackOptionsOf(const RunOptions& options, const ProviderTraits& traits,
                          const RunDirectory& directory) {
  PackOptions pack{.corpus = options.corpus,
                   .id_field = options.id_field,
                   .limits = LimitsOf(options, traits),
                   .zstd_level = options.zstd_level,
                   .threads = options.threads,
                   .stop_at_reject = options.on_error == OnError::kFail};
  pack.corpus.spool_folder = directory.rejects_spool();
  pack.corpus.block_bytes = BlockBytesFor(options.zstd_level);
  pack.corpus.notes_content = true;
  return pack;
}

Result<PrepareSummary> PrepareRun(const RunOptions& options, PrepareEnvironment& environment) {
  const MonotonicTime begin = environment.clock.Now();
  const RunDirectory directory(options.run_folder);
  SLUICE_TRY(directory.Make(environment.files));
  SLUICE_ASSIGN(const RunLock lock, RunLock::Take(directory.lock()));
  SLUICE_ASSIGN(Ledger ledger, Ledger::Open(directory.ledger()));
  SLUICE_ASSIGN(const auto settings, ledger.Get(kSettingsKey));
  SLUICE_TRY(directory.ExpectLedger(environment.files, settings.has_value()));
  SLUICE_ASSIGN(const auto list, ListCorpusFiles(environment.files, options.corpus));
  SLUICE_TRY(PinSettings(ledger, environment.files, directory, options, options.account, list,
                         environment.stop));
  SLUICE_ASSIGN(const auto protocol, MakeLineProtocol(options.provider_name, options.request));
  SLUICE_ASSIGN(
      const ProviderTraits traits,
      FindProviderTraits(options.provider_name, options.request.task, options.request.model));
  SLUICE_ASSIGN(Manifest manifest, Manifest::Open(environment.files, directory.manifest()));
  const bool resumed = !manifest.shards().empty();
  CountPacked(list, manifest, environment.progress);
  PackEnvironment pack{.files = environment.files,
                       .protocol = *protocol,
                       .directory = directory,
                       .progress = environment.progress,
                       .times = environment.times,
                       .stop = environment.stop};
  {
    const StepTimer timer(environment.times, Step::kPack);
    SLUICE_TRY(Pack(PackOptionsOf(options, traits, directory), list, pack, manifest,
                    [](const ShardEntry&) {}));
  }
  SLUICE_TRY(ExpectDocuments(environment.files, directory, *manifest.end()));
  PrepareSummary summary = SummaryOf(manifest);
  summary.rejects_path = directory.rejects();
  const auto steps = StepTimesOf(environment.times, options.threads);
  summary.bound = steps.empty() ? "" : steps.front().bound;
  summary.seconds = std::chrono::duration<double>(environment.clock.Now() - begin).count();
  summary.resumed = resumed;
  return summary;
}

}  // namespace sluice
