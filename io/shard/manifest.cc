#include "io/shard/manifest.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "io/file/line_reader.h"
#include "io/json/json_document.h"
#include "io/shard/shard_file.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

Json ToJson(const PackPosition& position) {
  return {{"file", position.place.file},     {"line", position.place.line},
          {"offset", position.place.offset}, {"next", position.next},
          {"rejected", position.rejected},   {"blank", position.blank},
          {"ids_bytes", position.ids_bytes}, {"rejects_bytes", position.rejects_bytes}};
}

PackPosition PositionFromJson(const Json& json) {
  return {.place = {.file = json.at("file"), .line = json.at("line"), .offset = json.at("offset")},
          .next = json.at("next"),
          .rejected = json.at("rejected"),
          .blank = json.at("blank"),
          .ids_bytes = json.at("ids_bytes"),
          .rejects_bytes = json.at("rejects_bytes")};
}

Json ToJson(const ShardEntry& entry) {
  return {{"shard", entry.shard},
          {"first", entry.range.first},
          {"count", entry.range.count},
          {"file", entry.file},
          {"plain_bytes", entry.plain_bytes},
          {"compressed_bytes", entry.compressed_bytes},
          {"xxh3", entry.checksum},
          {"ids_xxh3", entry.ids_checksum},
          {"tokens", entry.tokens},
          {"after", ToJson(entry.after)}};
}

ShardEntry EntryFromJson(const Json& json) {
  return {.shard = json.at("shard"),
          .range = {.first = json.at("first"), .count = json.at("count")},
          .file = json.at("file"),
          .plain_bytes = json.at("plain_bytes"),
          .compressed_bytes = json.at("compressed_bytes"),
          .checksum = json.at("xxh3"),
          .ids_checksum = json.at("ids_xxh3"),
          .tokens = json.at("tokens"),
          .after = PositionFromJson(json.at("after"))};
}

struct Content {
  std::vector<ShardEntry> shards;
  std::optional<PackPosition> end;
  uint64_t whole_bytes = 0;  // without a torn last line
};

// Whether `entry` can be what was sealed next: shards follow each other without gaps, under their
// own names, and nothing that was counted grows less.
bool Follows(const Content& content, const ShardEntry& entry) {
  const PackPosition before = content.shards.empty() ? PackPosition{} : content.shards.back().after;
  const PackPosition& after = entry.after;
  const bool is_compressed = entry.file == ShardFileName(entry.shard, true);
  return !content.end.has_value() && entry.shard == content.shards.size() &&
         (is_compressed || entry.file == ShardFileName(entry.shard, false)) &&
         entry.range.first == before.next && entry.range.count > 0 &&
         after.next == entry.range.first + entry.range.count &&
         after.ids_bytes >= before.ids_bytes && after.rejects_bytes >= before.rejects_bytes &&
         after.rejected >= before.rejected && after.blank >= before.blank;
}

bool IsEnd(const Content& content, const PackPosition& end) {
  const Ordinal next = content.shards.empty() ? 0 : content.shards.back().after.next;
  return !content.end.has_value() && end.next == next;
}

// False when the line cannot stand here.
bool TakeLine(std::string_view line, Content& content) {
  const Json json = ParseJson(line);
  if (json.contains("end")) {
    const PackPosition end = PositionFromJson(json.at("end"));
    const bool is_end = IsEnd(content, end);
    content.end = end;
    return is_end;
  }
  ShardEntry entry = EntryFromJson(json);
  const bool follows = Follows(content, entry);
  content.shards.push_back(std::move(entry));
  return follows;
}

Result<Content> ReadContent(FileSystem& files, const std::string& path) {
  Content content;
  SLUICE_ASSIGN(const bool is_there, IsThere(files, path));
  if (!is_there) {
    return content;
  }
  SLUICE_ASSIGN(auto file, files.Open(path, OpenMode::kRead));
  LineReader lines(MakeFileSource(std::move(file)));
  for (uint64_t number = 1;; ++number) {
    SLUICE_ASSIGN(const auto line, lines.Next());
    if (!line.has_value()) {
      break;
    }
    bool is_good = false;
    try {
      is_good = TakeLine(*line, content);
    } catch (const Json::exception&) {
      is_good = false;
    }
    if (!is_good) {
      const bool lost_a_sector = line->find('\0') != std::string_view::npos;
      SLUICE_ASSIGN(const auto next, lines.Next());
      if (lost_a_sector && !next.has_value()) {
        break;
      }
      return Fail(ErrorCode::kInput, fmt::format("'{}' is damaged at line {}", path, number),
                  "restore it from a copy, or start over with --fresh (jobs that exist are paid "
                  "again)");
    }
    content.whole_bytes = lines.offset();
  }
  return content;
}

}  // namespace

Result<Manifest> Manifest::Read(FileSystem& files, const std::string& path) {
  SLUICE_ASSIGN(Content content, ReadContent(files, path));
  Manifest manifest;
  manifest.shards_ = std::move(content.shards);
  manifest.end_ = content.end;
  return manifest;
}

Result<Manifest> Manifest::Open(FileSystem& files, const std::string& path) {
  SLUICE_ASSIGN(Content content, ReadContent(files, path));
  Manifest manifest;
  manifest.shards_ = std::move(content.shards);
  manifest.end_ = content.end;
  SLUICE_ASSIGN(manifest.file_, files.Open(path, OpenMode::kAppend));
  SLUICE_TRY(manifest.file_->Truncate(content.whole_bytes));
  SLUICE_TRY(files.SyncFolderOf(path));
  return manifest;
}

PackPosition Manifest::position() const {
  if (end_.has_value()) {
    return *end_;
  }
  return shards_.empty() ? PackPosition{} : shards_.back().after;
}

Result<void> Manifest::Append(const ShardEntry& entry) {
  SLUICE_CHECK(!end_.has_value() && entry.shard == shards_.size(), "shards are sealed in order");
  SLUICE_TRY(AppendLine(ToJson(entry).dump()));
  shards_.push_back(entry);
  return {};
}

Result<void> Manifest::AppendEnd(const PackPosition& position) {
  SLUICE_CHECK(!end_.has_value(), "a corpus ends once");
  SLUICE_TRY(AppendLine(Json{{"end", ToJson(position)}}.dump()));
  end_ = position;
  return {};
}

Result<void> Manifest::AppendLine(const std::string& line) {
  SLUICE_ASSIGN(const uint64_t before, file_->Size());
  const Result<void> written = file_->Write(AsBytes(line + "\n"));
  Result<void> durable = written.has_value() ? file_->Sync() : written;
  if (!durable.has_value()) {
    // A line that could not be synced can be read all the same, so the next start would take it for
    // durable. Without it the shard is made again from the corpus. What fails here is a torn line.
    std::ignore = file_->Truncate(before);
  }
  return durable;
}

}  // namespace sluice
