#include "engine/prepare_run.h"

#include <algorithm>
#include <chrono>

#include "engine/ledger.h"
#include "engine/run_settings.h"

namespace sluice {
namespace {

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

PrepareSummary SummaryOf(const Manifest& manifest) {
  PrepareSummary summary{.documents = manifest.end()->next,
                         .rejected = manifest.end()->rejected,
                         .lines_blank = manifest.end()->blank,
                         .shards = manifest.shards().size(),
                         .rejects_path = {}};
  for (const ShardEntry& shard : manifest.shards()) {
    summary.plain_bytes += shard.plain_bytes;
    summary.shard_bytes += shard.compressed_bytes;
    summary.estimated_tokens += shard.tokens;
  }
  return summary;
}

}  // namespace

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
  return pack;
}

Result<PrepareSummary> PrepareRun(const RunOptions& options, PrepareEnvironment& environment) {
  const MonotonicTime begin = environment.clock.Now();
  const RunDirectory directory(options.run_folder);
  SLUICE_TRY(directory.Make(environment.files));
  SLUICE_ASSIGN(const RunLock lock, RunLock::Take(directory.lock()));
  SLUICE_ASSIGN(Ledger ledger, Ledger::Open(directory.ledger()));
  SLUICE_ASSIGN(const auto list, ListCorpusFiles(environment.files, options.corpus));
  SLUICE_TRY(PinSettings(ledger, options, options.account, list));
  SLUICE_ASSIGN(const auto protocol, MakeLineProtocol(options.provider_name, options.request));
  SLUICE_ASSIGN(const ProviderTraits traits, FindProviderTraits(options.provider_name));
  SLUICE_ASSIGN(Manifest manifest, Manifest::Open(environment.files, directory.manifest()));
  const bool resumed = !manifest.shards().empty();
  for (const CorpusFile& file : list) {
    environment.progress.corpus_bytes_total += file.size;
  }
  environment.progress.documents_packed = manifest.position().next;
  PackEnvironment pack{.files = environment.files,
                       .protocol = *protocol,
                       .directory = directory,
                       .progress = environment.progress,
                       .times = environment.times,
                       .stop = environment.stop};
  SLUICE_TRY(Pack(PackOptionsOf(options, traits, directory), list, pack, manifest,
                  [](const ShardEntry&) {}));
  PrepareSummary summary = SummaryOf(manifest);
  summary.rejects_path = directory.rejects();
  summary.seconds = std::chrono::duration<double>(environment.clock.Now() - begin).count();
  summary.resumed = resumed;
  return summary;
}

}  // namespace sluice
