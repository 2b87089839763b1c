#include "engine/pack.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <memory>
#include <optional>

#include "engine/content_log.h"
#include "engine/item_pool.h"
#include "engine/ordered_pipeline.h"
#include "engine/prepare.h"
#include "engine/shard_cutter.h"
#include "io/base/checksum.h"
#include "io/base/resource_pool.h"
#include "io/codec/zstd.h"
#include "io/json/base64.h"
#include "io/json/json_text.h"
#include "io/shard/shard_file.h"

namespace sluice {
namespace {

// A block on its way through the graph, and all that is made from it. Items are used again.
struct PackItem final : PipelineItem {
  Block block;
  PreparedBlock prepared;
  std::vector<Segment> segments;
  Ordinal first = 0;                               // of records[0]
  AlignedBuffer frame_bytes;                       // all frames, each with room for the worst case
  std::vector<std::span<const std::byte>> frames;  // one a segment; none when shards are plain
  std::vector<std::string> ids;                    // one a segment
};

// A file's name as a JSON token. It need not be UTF-8 on this disk, but what we write is.
std::string NameToken(std::string name) {
  while (const auto fault = FindInvalidUtf8(name)) {
    name.replace(*fault, 1, "\xEF\xBF\xBD");
  }
  return JsonString(name);
}

std::vector<std::string> NameTokens(const std::vector<CorpusFile>& list) {
  std::vector<std::string> tokens;
  tokens.reserve(list.size());
  for (const CorpusFile& file : list) {
    tokens.push_back(NameToken(file.name));
  }
  return tokens;
}

constexpr size_t kRejectsFlushBytes = size_t{1} << 20;

// Many times faster than a format string, and this is done for every document. `at` has room; what
// stands behind is returned.
constexpr size_t kDecimalBytesMax = 20;
template <size_t kSize>
char* Put(const char (&literal)[kSize], char* at) {
  std::memcpy(at, literal, kSize - 1);
  return at + kSize - 1;
}
char* Put(std::string_view text, char* at) {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}
char* Put(uint64_t number, char* at) {
  return std::to_chars(at, at + kDecimalBytesMax, number).ptr;
}

std::string_view LinesOf(const PreparedBlock& prepared, const Segment& segment) {
  const size_t end = segment.first_record + segment.record_count;
  const size_t begin_byte = prepared.records[segment.first_record].line_begin;
  const size_t end_byte =
      end < prepared.records.size() ? prepared.records[end].line_begin : prepared.lines.size();
  return std::string_view(prepared.lines).substr(begin_byte, end_byte - begin_byte);
}

// Everything that happens in input order at the end: shards, ids, rejects and the manifest grow
// together, and a shard's line in the manifest says how long the others were at that moment.
class Appender {
 public:
  Appender(const PackOptions& options, PackEnvironment& environment, Manifest& manifest,
           std::vector<std::string> names, const std::function<void(const ShardEntry&)>& on_sealed)
      : options_(options),
        environment_(environment),
        manifest_(manifest),
        names_(std::move(names)),
        on_sealed_(on_sealed),
        position_(manifest.position()) {}

  Result<void> Open() {
    SLUICE_ASSIGN(ids_, OpenCutBack(environment_.directory.ids(), position_.ids_bytes));
    SLUICE_ASSIGN(rejects_, OpenCutBack(environment_.directory.rejects(), position_.rejects_bytes));
    SLUICE_ASSIGN(ContentLog content,
                  ContentLog::Open(environment_.files, environment_.directory.content()));
    content_.emplace(std::move(content));
    return {};
  }

  Result<void> Append(PackItem& item) {
    SLUICE_TRY(content_->Note(item.block.content));
    auto reject = item.prepared.rejects.cbegin();
    const uint64_t blank_before_block = position_.blank;
    for (size_t i = 0; i < item.segments.size(); ++i) {
      const Segment& segment = item.segments[i];
      const PreparedRecord& record = item.prepared.records[segment.first_record];
      SLUICE_TRY(AppendRejects(item, reject, &record.place));
      if (segment.opens_shard) {
        position_.place = record.place;
        position_.blank = blank_before_block + record.blank_before;
        SLUICE_TRY(SealShard());
        SLUICE_TRY(OpenShard());
      }
      SLUICE_TRY(AppendSegment(item, i));
    }
    SLUICE_TRY(AppendRejects(item, reject, nullptr));
    position_.blank = blank_before_block + item.prepared.blank;
    position_.place = item.block.after;
    return {};
  }

  // The corpus is at its end.
  Result<void> Close() {
    SLUICE_TRY(SealShard());
    SLUICE_TRY(content_->Flush());
    SLUICE_TRY(ids_->Sync());
    SLUICE_TRY(rejects_->Sync());
    return manifest_.AppendEnd(position_);
  }

 private:
  Result<std::unique_ptr<File>> OpenCutBack(const std::string& path, uint64_t size) {
    SLUICE_ASSIGN(auto file, environment_.files.Open(path, OpenMode::kAppend));
    SLUICE_TRY(environment_.files.SyncFolderOf(path));
    SLUICE_ASSIGN(const uint64_t found, file->Size());
    if (found < size) {
      return Fail(ErrorCode::kIo,
                  fmt::format("'{}' has {} bytes, but {} were sealed: it changed on disk", path,
                              found, size),
                  "restore it, or start over with --fresh");
    }
    SLUICE_TRY(file->Truncate(size));
    return file;
  }

  Result<void> OpenShard() {
    entry_ = {};
    entry_.shard = static_cast<uint32_t>(manifest_.shards().size());
    entry_.range.first = position_.next;
    entry_.file = ShardFileName(entry_.shard, options_.zstd_level.has_value());
    SLUICE_ASSIGN(
        ShardWriter writer,
        ShardWriter::Create(environment_.files, environment_.directory.shard(entry_.file)));
    writer_.emplace(std::move(writer));
    ids_checksum_ = Checksum();
    return {};
  }

  Result<void> AppendSegment(const PackItem& item, size_t index) {
    const Segment& segment = item.segments[index];
    const std::string_view lines = LinesOf(item.prepared, segment);
    const std::span<const std::byte> bytes =
        item.frames.empty() ? AsBytes(lines) : item.frames[index];
    SLUICE_TRY(writer_->Append(bytes));
    SLUICE_TRY(ids_->Write(AsBytes(item.ids[index])));
    ids_checksum_.Add(AsBytes(item.ids[index]));
    position_.ids_bytes += item.ids[index].size();
    position_.next += segment.record_count;
    entry_.range.count += segment.record_count;
    entry_.plain_bytes += lines.size();
    for (size_t i = 0; i < segment.record_count; ++i) {
      entry_.tokens += item.prepared.records[segment.first_record + i].text_bytes;
    }
    Progress& progress = environment_.progress;
    progress.documents_packed += segment.record_count;
    progress.request_bytes += lines.size();
    progress.compressed_bytes += bytes.size();
    return {};
  }

  Result<void> SealShard() {
    if (!writer_.has_value()) {
      return {};
    }
    SLUICE_TRY(writer_->Seal());
    SLUICE_TRY(content_->Flush());
    SLUICE_TRY(ids_->Sync());
    SLUICE_TRY(rejects_->Sync());
    entry_.compressed_bytes = writer_->size();
    entry_.checksum = writer_->checksum();
    entry_.ids_checksum = ids_checksum_.Hex();
    entry_.tokens =
        static_cast<uint64_t>(static_cast<double>(entry_.tokens) / options_.limits.bytes_per_token);
    entry_.after = position_;
    writer_.reset();
    SLUICE_TRY(manifest_.Append(entry_));
    ++environment_.progress.shards_sealed;
    on_sealed_(entry_);
    return {};
  }

  // Those that stand before `end`; all that are left when it is null.
  Result<void> AppendRejects(const PackItem& item, std::vector<Reject>::const_iterator& next,
                             const CorpusPlace* end) {
    std::string text;
    for (; next != item.prepared.rejects.end(); ++next) {
      if (end != nullptr && next->place >= *end) {
        break;
      }
      if (options_.stop_at_reject) {
        return StopAt(*next);
      }
      AppendReject(*next, text);
      ++position_.rejected;
      ++environment_.progress.documents_rejected;
      if (text.size() >= kRejectsFlushBytes) {
        SLUICE_TRY(WriteRejects(text));
      }
    }
    return WriteRejects(text);
  }

  Result<void> WriteRejects(std::string& text) {
    position_.rejects_bytes += text.size();
    SLUICE_TRY(rejects_->Write(AsBytes(text)));
    text.clear();
    return {};
  }

  std::unexpected<Error> StopAt(const Reject& reject) const {
    const std::string_view token = names_[reject.place.file];
    const std::string_view name = token.substr(1, token.size() - 2);
    return Fail(ErrorCode::kInput, fmt::format("{}:{}: {}", name, reject.place.line, reject.reason),
                "mend the line and start again, or leave such lines out with --on-error skip");
  }

  void AppendReject(const Reject& reject, std::string& out) const {
    out += fmt::format(
        "{{\"file\":{},\"line\":{},\"offset\":{},\"fault_offset\":{},\"bytes\":{},"
        "\"reason\":",
        names_[reject.place.file], reject.place.line, reject.place.offset, reject.fault_offset,
        reject.size);
    AppendJsonString(out, reject.reason);
    if (!reject.spool_path.empty()) {
      out += ",\"raw_file\":" + NameToken(reject.spool_path);
    } else if (FindInvalidUtf8(reject.raw).has_value()) {
      out += ",\"raw_base64\":\"" + EncodeBase64(AsBytes(reject.raw)) + "\"";
    } else {
      out += ",\"raw\":";
      AppendJsonString(out, reject.raw);
    }
    out += "}\n";
  }

  const PackOptions& options_;
  PackEnvironment& environment_;
  Manifest& manifest_;
  std::vector<std::string> names_;
  const std::function<void(const ShardEntry&)>& on_sealed_;
  PackPosition position_;
  std::unique_ptr<File> ids_;
  Checksum ids_checksum_;  // of the open shard's
  std::unique_ptr<File> rejects_;
  std::optional<ContentLog> content_;
  std::optional<ShardWriter> writer_;
  ShardEntry entry_;
};

// The graph's stations, in order.
class Packer {
 public:
  Packer(const PackOptions& options, const std::vector<CorpusFile>& list,
         PackEnvironment& environment, Manifest& manifest,
         const std::function<void(const ShardEntry&)>& on_sealed)
      : options_(options),
        environment_(environment),
        list_(list),
        names_(NameTokens(list)),
        preparer_(environment.protocol, options.id_field),
        cutter_(options.limits, environment.protocol.expected_answer_bytes()),
        compressors_([level = options.zstd_level] {
          return std::make_unique<ZstdCompressor>(level.value());
        }),
        appender_(options, environment, manifest, names_, on_sealed),
        next_(manifest.position().next) {}

  Result<void> Run(Corpus& corpus) {
    SLUICE_TRY(appender_.Open());
    const PipelineSource source = {
        .next = [&] { return Read(corpus); },
        .recycle = [&](std::unique_ptr<PipelineItem> item) { Recycle(std::move(item)); }};
    const std::vector<Station> stations = {
        {.order = Station::Order::kParallel, .work = On(&Packer::PrepareBlock)},
        {.order = Station::Order::kInOrder, .work = On(&Packer::CutShards)},
        {.order = Station::Order::kParallel, .work = On(&Packer::Compress)},
        {.order = Station::Order::kInOrder, .work = On(&Packer::Append)},
    };
    SLUICE_TRY(RunOrderedPipeline(options_.threads, source, stations, environment_.stop));
    return appender_.Close();
  }

 private:
  std::function<Result<void>(PipelineItem&)> On(Result<void> (Packer::*work)(PackItem&)) {
    return [this, work](PipelineItem& item) { return (this->*work)(static_cast<PackItem&>(item)); };
  }

  Result<std::unique_ptr<PipelineItem>> Read(Corpus& corpus) {
    const StageTimer timer(environment_.times, Stage::kRead);
    std::unique_ptr<PipelineItem> item = items_.Take();
    SLUICE_ASSIGN(const bool more, corpus.Next(static_cast<PackItem&>(*item).block));
    environment_.progress.corpus_bytes_read = corpus.bytes_read();
    return more ? std::move(item) : nullptr;
  }

  // What one giant line asked for is given back.
  void Recycle(std::unique_ptr<PipelineItem> item) {
    const size_t bytes = static_cast<const PackItem&>(*item).block.bytes.size();
    if (bytes <= 2 * options_.corpus.block_bytes) {
      items_.Put(std::move(item));
    }
  }

  Result<void> PrepareBlock(PackItem& item) {
    const StageTimer timer(environment_.times, Stage::kPrepare);
    preparer_.Prepare(item.block, item.prepared);
    return {};
  }

  Result<void> CutShards(PackItem& item) {
    cutter_.Cut(item.prepared, item.segments);
    item.first = next_;
    next_ += item.prepared.records.size();
    return {};
  }

  Result<void> Compress(PackItem& item) {
    const StageTimer timer(environment_.times, Stage::kCompress);
    item.ids.resize(std::max(item.ids.size(), item.segments.size()));
    for (size_t i = 0; i < item.segments.size(); ++i) {
      WriteKeysAndIds(item, item.segments[i], item.ids[i]);
    }
    return options_.zstd_level.has_value() ? CompressSegments(item) : Result<void>();
  }

  Result<void> CompressSegments(PackItem& item) {
    size_t room = 0;
    for (const Segment& segment : item.segments) {
      room += ZstdCompressor::FrameBound(LinesOf(item.prepared, segment).size());
    }
    item.frame_bytes.Reserve(room);
    item.frames.clear();
    std::span<std::byte> free = item.frame_bytes.span();
    const auto compressor = compressors_.Take();
    for (const Segment& segment : item.segments) {
      const auto size =
          compressor->Compress(AsBytes(LinesOf(item.prepared, segment)), free, environment_.stop);
      if (!size.has_value()) {
        return Fail(ErrorCode::kUnfinished, "stopped while a shard was packed");
      }
      item.frames.push_back(free.first(*size));
      free = free.subspan(*size);
    }
    return {};
  }

  void WriteKeysAndIds(PackItem& item, const Segment& segment, std::string& ids) const {
    ids.clear();
    for (size_t i = segment.first_record; i < segment.first_record + segment.record_count; ++i) {
      const PreparedRecord& record = item.prepared.records[i];
      const Ordinal row = item.first + i;
      WriteKey(row, &item.prepared.lines[record.line_begin + environment_.protocol.key_offset()]);
      AppendId(row, record, ids);
    }
  }

  // {"row":R,"id":I,"file":F,"line":L,"offset":O}
  void AppendId(Ordinal row, const PreparedRecord& record, std::string& out) const {
    constexpr size_t kRestBytesMax = 128;  // names of members and numbers
    const std::string_view name = names_[record.place.file];
    const size_t begin = out.size();
    const size_t size_max = begin + record.id.size() + 2 * name.size() + kRestBytesMax;
    out.resize_and_overwrite(size_max, [&](char* text, size_t) {
      char* at = Put("{\"row\":", text + begin);
      at = Put(row, at);
      at = Put(",\"id\":", at);
      at = PutIdToken(record, name, at);
      at = Put(",\"file\":", at);
      at = Put(name, at);
      at = Put(",\"line\":", at);
      at = Put(record.place.line, at);
      at = Put(",\"offset\":", at);
      at = Put(record.place.offset, at);
      return Put("}\n", at) - text;
    });
  }

  char* PutIdToken(const PreparedRecord& record, std::string_view name, char* at) const {
    if (!record.id.empty()) {
      return Put(record.id, at);
    }
    if (list_[record.place.file].format == InputFormat::kText) {
      return Put(name, at);
    }
    at = Put(name.substr(0, name.size() - 1), at);
    *at++ = ':';
    at = Put(record.place.line, at);
    return Put("\"", at);
  }

  Result<void> Append(PackItem& item) {
    const StageTimer timer(environment_.times, Stage::kAppend);
    return appender_.Append(item);
  }

  const PackOptions& options_;
  PackEnvironment& environment_;
  const std::vector<CorpusFile>& list_;
  std::vector<std::string> names_;
  Preparer preparer_;
  ShardCutter cutter_;
  ResourcePool<ZstdCompressor> compressors_;
  Appender appender_;
  Ordinal next_;
  ItemPool<PackItem> items_;
};

// Of standard input the beginning was noted, so that the same input can be given again.
Result<CorpusOptions> GoOnReading(CorpusOptions options, const std::vector<CorpusFile>& list,
                                  const PackEnvironment& environment, const CorpusPlace& place) {
  options.stop = environment.stop;
  if (place.file < list.size() && list[place.file].is_standard_input() && place.offset > 0) {
    SLUICE_ASSIGN(const auto reads,
                  ReadContentLog(environment.files, environment.directory.content(), {place.file}));
    const auto found = reads.find(place.file);
    if (found != reads.end() && found->second.front().from == 0) {
      options.known_input = found->second.front();
    }
  }
  return options;
}

}  // namespace

size_t BlockBytesFor(std::optional<int> zstd_level) {
  if (!zstd_level.has_value()) {
    return size_t{1} << 20;
  }
  return size_t{*zstd_level >= 3 ? 4U : 2U} << 20;
}

Result<void> Pack(const PackOptions& options, const std::vector<CorpusFile>& list,
                  PackEnvironment& environment, Manifest& manifest,
                  const std::function<void(const ShardEntry&)>& on_sealed) {
  if (manifest.end().has_value()) {
    return {};
  }
  SLUICE_ASSIGN(const CorpusOptions reading,
                GoOnReading(options.corpus, list, environment, manifest.position().place));
  SLUICE_ASSIGN(auto corpus,
                OpenCorpus(environment.files, list, reading, manifest.position().place));
  Packer packer(options, list, environment, manifest, on_sealed);
  SLUICE_TRY(packer.Run(*corpus));
  environment.progress.packing_done = true;
  return {};
}

}  // namespace sluice
