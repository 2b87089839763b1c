#include "tools/bench/block_work.h"

#include <memory>

#include "engine/item_pool.h"
#include "engine/pack.h"

namespace sluice {

CorpusOptions ReadingOf(const BenchInput& input, const std::string& path) {
  CorpusOptions options;
  options.inputs = {path};
  options.block_bytes = BlockBytesFor(input.zstd_level);
  options.spool_folder = input.scratch() + "/spool";
  return options;
}

uint64_t BytesOf(const Block& block) {
  uint64_t bytes = block.bytes.size();
  for (const OversizeUnit& unit : block.oversize) {
    bytes += unit.size + 1;  // its line end
  }
  return bytes;
}

Result<void> ForEachBlock(const BenchInput& input, const std::string& path, size_t threads,
                          const std::function<Result<void>(WorkItem&)>& work) {
  const CorpusOptions reading = ReadingOf(input, path);
  SLUICE_ASSIGN(auto list, ListCorpusFiles(input.files, reading));
  SLUICE_ASSIGN(const auto corpus, OpenCorpus(input.files, std::move(list), reading));
  ItemPool<WorkItem> items;
  const PipelineSource source = {
      .next = [&]() -> Result<std::unique_ptr<PipelineItem>> {
        std::unique_ptr<PipelineItem> item = items.Take();
        SLUICE_ASSIGN(const bool more, corpus->Next(static_cast<WorkItem&>(*item).block));
        return more ? std::move(item) : nullptr;
      },
      .recycle = [&](std::unique_ptr<PipelineItem> item) { items.Put(std::move(item)); }};
  const Station station = {
      .work = [&](PipelineItem& item) { return work(static_cast<WorkItem&>(item)); }};
  return RunOrderedPipeline(threads, source, {station}, input.stop);
}

}  // namespace sluice
