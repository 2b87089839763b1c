// The pack step alone, from a corpus to shards, as the engine does it:
//
//   pack_corpus FOLDER LEVEL THREADS INPUTS...
//
// LEVEL: zstd's, or "none".
#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <vector>

#include "engine/pack.h"
#include "engine/run_directory.h"

namespace sluice {
namespace {

Result<void> PackInto(const std::string& folder, const std::string& level, size_t threads,
                      std::vector<std::string> inputs) {
  const auto files = MakePosixFileSystem();
  const RunDirectory directory(folder);
  SLUICE_TRY(directory.Make(*files));
  PackOptions options;
  options.corpus.inputs = std::move(inputs);
  options.corpus.spool_folder = directory.rejects_spool();
  options.zstd_level = level == "none" ? std::nullopt : std::optional(std::stoi(level));
  options.corpus.block_bytes = BlockBytesFor(options.zstd_level);
  options.threads = threads;
  options.limits.rows_max = 1'000'000;
  options.limits.bytes_max = uint64_t{1} << 30;
  options.limits.answer_bytes_max = uint64_t{1} << 50;
  SLUICE_ASSIGN(const auto list, ListCorpusFiles(*files, options.corpus));
  RequestOptions requests;
  requests.model = "gemini-embedding-001";
  requests.dimension = 768;
  SLUICE_ASSIGN(const auto protocol, MakeLineProtocol("gemini", requests));
  SLUICE_ASSIGN(Manifest manifest, Manifest::Open(*files, directory.manifest()));
  Progress progress;
  StageTimes times;
  PackEnvironment environment{.files = *files,
                              .protocol = *protocol,
                              .directory = directory,
                              .progress = progress,
                              .times = times,
                              .stop = {}};
  SLUICE_TRY(Pack(options, list, environment, manifest, [](const ShardEntry&) {}));
  fmt::print(
      "{} documents, {} rejected, {} plain, {} compressed; read {:.3f} prepare {:.3f} compress "
      "{:.3f} append {:.3f}\n",
      manifest.end()->next, manifest.end()->rejected, progress.request_bytes.load(),
      progress.compressed_bytes.load(), times.seconds(Stage::kRead), times.seconds(Stage::kPrepare),
      times.seconds(Stage::kCompress), times.seconds(Stage::kAppend));
  return {};
}

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) {
  if (argc < 5) {
    fmt::print(stderr, "usage: pack_corpus FOLDER LEVEL THREADS INPUTS...\n");
    return 2;
  }
  const auto packed =
      sluice::PackInto(argv[1], argv[2], std::stoull(argv[3]), {argv + 4, argv + argc});
  if (!packed.has_value()) {
    fmt::print(stderr, "error: {}\n", packed.error().message);
    return 1;
  }
}
