#include "tools/bench/bench_stage.h"

#include <algorithm>
#include <atomic>
#include <fmt/format.h>

#include "engine/merge.h"
#include "engine/run_directory.h"
#include "io/base/resource_pool.h"
#include "io/codec/zstd.h"
#include "io/shard/shard_file.h"
#include "tools/bench/block_work.h"

namespace sluice {
namespace {

// As for an embedding run with its default settings.
RequestOptions RequestsOf(const BenchInput& input) {
  RequestOptions requests;
  requests.model = "gemini-embedding-001";
  requests.dimension = input.dimension;
  requests.task_type = "RETRIEVAL_DOCUMENT";
  requests.text_field = input.text_field;
  return requests;
}

Result<StageVolume> Read(const BenchInput& input) {
  const CorpusOptions reading = ReadingOf(input, input.corpus);
  SLUICE_ASSIGN(auto list, ListCorpusFiles(input.files, reading));
  SLUICE_ASSIGN(const auto corpus, OpenCorpus(input.files, std::move(list), reading));
  StageVolume volume{.documents = 0};
  Block block;
  while (true) {
    SLUICE_ASSIGN(const bool more, corpus->Next(block));
    if (!more) {
      return volume;
    }
    volume.bytes_in += BytesOf(block);
    *volume.documents += CountUnits(block);
  }
}

Result<StageVolume> Prepare(const BenchInput& input) {
  SLUICE_ASSIGN(const auto protocol, MakeLineProtocol("gemini", RequestsOf(input)));
  Preparer preparer(*protocol, "");
  std::atomic<uint64_t> bytes_in = 0;
  std::atomic<uint64_t> bytes_out = 0;
  std::atomic<uint64_t> documents = 0;
  SLUICE_TRY(ForEachBlock(input, input.corpus, input.threads, [&](WorkItem& item) -> Result<void> {
    preparer.Prepare(item.block, item.prepared);
    bytes_in += BytesOf(item.block);
    bytes_out += item.prepared.lines.size();
    documents += item.prepared.records.size();
    return {};
  }));
  return StageVolume{.bytes_in = bytes_in, .bytes_out = bytes_out, .documents = documents};
}

Result<StageVolume> Compress(const BenchInput& input) {
  const int level = input.zstd_level.value_or(1);
  ResourcePool<ZstdCompressor> compressors(
      [level] { return std::make_unique<ZstdCompressor>(level); });
  std::atomic<uint64_t> bytes_in = 0;
  std::atomic<uint64_t> bytes_out = 0;
  SLUICE_TRY(
      ForEachBlock(input, input.requests(), input.threads, [&](WorkItem& item) -> Result<void> {
        item.frame.clear();
        compressors.Take()->AppendFrame(AsBytes(item.block.bytes), item.frame);
        bytes_in += item.block.bytes.size();
        bytes_out += item.frame.size();
        return {};
      }));
  return StageVolume{.bytes_in = bytes_in, .bytes_out = bytes_out};
}

Result<StageVolume> Write(const BenchInput& input) {
  SLUICE_ASSIGN(ShardWriter writer, ShardWriter::Create(input.files, input.scratch() + "/shard"));
  SLUICE_ASSIGN(const auto file, input.files.Open(input.requests(), OpenMode::kRead));
  AlignedBuffer block(BlockBytesFor(input.zstd_level));
  while (true) {
    SLUICE_ASSIGN(const size_t size, file->Read(block.span()));
    if (size == 0) {
      break;
    }
    SLUICE_TRY(writer.Append(block.span().first(size)));
  }
  SLUICE_TRY(writer.Seal());
  return StageVolume{.bytes_in = writer.size(), .bytes_out = writer.size()};
}

Result<StageVolume> PackInto(const BenchInput& input, const std::string& folder,
                             const ShardLimits& limits, std::optional<int> zstd_level) {
  const RunDirectory directory(folder);
  SLUICE_TRY(directory.Make(input.files));
  PackOptions options{.corpus = ReadingOf(input, input.corpus),
                      .id_field = {},
                      .limits = limits,
                      .zstd_level = zstd_level,
                      .threads = input.threads};
  SLUICE_ASSIGN(const auto list, ListCorpusFiles(input.files, options.corpus));
  SLUICE_ASSIGN(const auto protocol, MakeLineProtocol("gemini", RequestsOf(input)));
  SLUICE_ASSIGN(Manifest manifest, Manifest::Open(input.files, directory.manifest()));
  Progress progress;
  StageTimes times;
  PackEnvironment environment{.files = input.files,
                              .protocol = *protocol,
                              .directory = directory,
                              .progress = progress,
                              .times = times,
                              .stop = input.stop};
  SLUICE_TRY(Pack(options, list, environment, manifest, [](const ShardEntry&) {}));
  return StageVolume{.bytes_out = progress.compressed_bytes,
                     .documents = manifest.end()->next,
                     .refused = manifest.end()->rejected};
}

Result<StageVolume> PackAll(const BenchInput& input) {
  return PackInto(input, input.scratch() + "/run", input.limits, input.zstd_level);
}

// The array alone is measured: its ids are none of the answers'.
Result<std::string> WriteIds(const BenchInput& input) {
  std::string path = input.scratch() + "/ids";
  SLUICE_ASSIGN(const auto file, input.files.Open(path, OpenMode::kCreate));
  std::string text;
  for (uint64_t row = 0; row < input.rows; ++row) {
    text += fmt::format("{{\"row\":{0},\"id\":{0}}}\n", row);
  }
  SLUICE_TRY(file->Write(AsBytes(text)));
  return path;
}

Result<StageVolume> Decode(const BenchInput& input) {
  SLUICE_ASSIGN(const auto protocol, MakeLineProtocol("gemini", RequestsOf(input)));
  const std::string work = input.scratch() + "/work";
  SLUICE_TRY(input.files.MakeFolders(work));
  SLUICE_ASSIGN(const std::string ids, WriteIds(input));
  SLUICE_ASSIGN(const auto sink, MakeSink(input.files, {.output = input.decoded(),
                                                        .work_folder = work,
                                                        .dimension = input.dimension}));
  const OrdinalRange range{.first = 0, .count = input.rows};
  SLUICE_ASSIGN(const auto shard, sink->OpenShard(range));
  CorpusOptions reading = AnswerReading(work);
  reading.inputs = {input.answers()};
  SLUICE_ASSIGN(auto list, ListCorpusFiles(input.files, reading));
  const uint64_t bytes = list.front().size;
  SLUICE_ASSIGN(const auto answers, OpenCorpus(input.files, std::move(list), reading));
  StageTimes times;
  MergeEnvironment environment{.protocol = *protocol, .times = times, .stop = input.stop};
  const MergeOptions options{
      .range = range, .dimension = input.dimension, .threads = input.threads};
  SLUICE_ASSIGN(const MergeOutcome outcome, MergeAnswers(*answers, options, environment, *shard));
  SLUICE_TRY(shard->Seal());
  SLUICE_ASSIGN(const auto outputs,
                sink->Close({.row_count = input.rows, .ids_path = ids, .failures = {}}));
  return StageVolume{
      .bytes_in = bytes, .bytes_out = outputs.front().bytes, .documents = outcome.ok};
}

constexpr BenchStage kStages[] = {
    {"read", nullptr, false, Bound::kMemory, Read},
    {"prepare", nullptr, true, Bound::kMemory, Prepare},
    {"compress", &BenchInput::requests, true, Bound::kZstd, Compress},
    {"write", &BenchInput::requests, false, Bound::kDisk, Write},
    {"pack", nullptr, true, Bound::kZstd, PackAll},
    {"decode", &BenchInput::answers, true, Bound::kNumbers, Decode},
};

}  // namespace

std::span<const BenchStage> BenchStages() { return kStages; }

const BenchStage* FindBenchStage(std::string_view name) {
  const auto* found = std::ranges::find(kStages, name, &BenchStage::name);
  return found == std::end(kStages) ? nullptr : found;
}

std::string PathOf(const BenchStage& stage, const BenchInput& input) {
  return stage.path == nullptr ? input.corpus : (input.*stage.path)();
}

Result<StageVolume> MakeRequests(const BenchInput& input) {
  constexpr uint64_t kUnlimited = uint64_t{1} << 60;
  const RunDirectory directory(input.folder + "/requests");
  ShardLimits one_shard;
  one_shard.rows_max = kUnlimited;
  one_shard.bytes_max = kUnlimited;
  one_shard.answer_bytes_max = kUnlimited;
  SLUICE_ASSIGN(const StageVolume volume,
                PackInto(input, directory.folder(), one_shard, std::nullopt));
  if (volume.documents == 0) {
    return Fail(ErrorCode::kInput, "no line of the corpus can be used",
                "name the field with the text: --text-field");
  }
  SLUICE_TRY(input.files.Rename(directory.shard(ShardFileName(0, false)), input.requests()));
  return volume;
}

}  // namespace sluice
