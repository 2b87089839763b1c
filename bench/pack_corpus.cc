// The pack step alone, from a corpus to shards, as the engine does it:
//
//   pack_corpus [--send|--send-unpacked URL] FOLDER LEVEL THREADS INPUTS...
//
// LEVEL: zstd's, or "none". --send: each shard is put to URL as soon as it is sealed, as it stands
// or as plain lines with their SHA-256.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "bench/shard_sender.h"
#include "engine/pack.h"
#include "engine/run_directory.h"

namespace sluice {
namespace {

struct Arguments {
  std::string send;  // a URL, or empty
  ShardForm form = ShardForm::kAsItStands;
  std::string folder;
  std::string level;
  size_t threads = 2;
  std::vector<std::string> inputs;
};

std::optional<Arguments> ParseArguments(std::vector<std::string> words) {
  Arguments arguments;
  if (words.size() > 2 && words.front().starts_with("--send")) {
    arguments.form = words.front() == "--send" ? ShardForm::kAsItStands : ShardForm::kUnpacked;
    arguments.send = words[1];
    words.erase(words.begin(), words.begin() + 2);
  }
  if (words.size() < 4) {
    return std::nullopt;
  }
  arguments.folder = words[0];
  arguments.level = words[1];
  arguments.threads = std::stoull(words[2]);
  arguments.inputs.assign(words.begin() + 3, words.end());
  return arguments;
}

PackOptions OptionsOf(const Arguments& arguments, const RunDirectory& directory) {
  PackOptions options;
  options.corpus.inputs = arguments.inputs;
  options.corpus.spool_folder = directory.rejects_spool();
  options.zstd_level =
      arguments.level == "none" ? std::nullopt : std::optional(std::stoi(arguments.level));
  options.corpus.block_bytes = BlockBytesFor(options.zstd_level);
  options.threads = arguments.threads;
  options.limits.rows_max = 1'000'000;
  options.limits.bytes_max = uint64_t{16} << 20;  // as `sluice run` does
  options.limits.answer_bytes_max = uint64_t{1} << 50;
  return options;
}

Result<void> PackInto(const Arguments& arguments) {
  const auto files = MakePosixFileSystem();
  const RunDirectory directory(arguments.folder);
  SLUICE_TRY(directory.Make(*files));
  const PackOptions options = OptionsOf(arguments, directory);
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
  std::optional<ShardSender> sender;
  if (!arguments.send.empty()) {
    sender.emplace(*files, arguments.send, arguments.form);
  }
  SLUICE_TRY(Pack(options, list, environment, manifest, [&](const ShardEntry& entry) {
    if (sender.has_value()) {
      sender->Add(directory.shard(entry.file), entry);
    }
  }));
  SLUICE_TRY(sender.has_value() ? sender->Close() : Result<void>());
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
  const auto arguments = sluice::ParseArguments({argv + 1, argv + argc});
  if (!arguments.has_value()) {
    fmt::print(stderr,
               "usage: pack_corpus [--send|--send-unpacked URL] FOLDER LEVEL THREADS INPUTS...\n");
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  const auto packed = sluice::PackInto(*arguments);
  if (!packed.has_value()) {
    fmt::print(stderr, "error: {}\n", packed.error().message);
    return 1;
  }
}
