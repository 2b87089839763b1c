#include "engine/content_log.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "io/file/line_reader.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr size_t kContentFlushBytes = size_t{1} << 16;

std::optional<ContentRead> Parse(std::string_view line) {
  try {
    const Json json = ParseJson(line);
    return ContentRead{.file = json.at("file"),
                       .from = json.at("from"),
                       .to = json.at("to"),
                       .checksum = json.at("xxh3")};
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

Result<ContentLog> ContentLog::Open(FileSystem& files, const std::string& path) {
  SLUICE_ASSIGN(auto file, files.Open(path, OpenMode::kAppend));
  ContentLog log(std::move(file));
  // A line that a crash has torn ends here.
  SLUICE_ASSIGN(const uint64_t size, log.file_->Size());
  log.pending_ = size > 0 ? "\n" : "";
  return log;
}

Result<void> ContentLog::Note(std::span<const ContentRead> content) {
  for (const ContentRead& read : content) {
    if (last_.has_value() && (last_->file != read.file || last_->from != read.from)) {
      Append(*last_);
    }
    last_ = read;
  }
  return pending_.size() < kContentFlushBytes ? Result<void>{} : Flush();
}

Result<void> ContentLog::Flush() {
  if (last_.has_value()) {
    Append(*last_);
    last_.reset();
  }
  SLUICE_TRY(file_->Write(AsBytes(pending_)));
  pending_.clear();
  return {};
}

void ContentLog::Append(const ContentRead& read) {
  pending_ += fmt::format("{{\"file\":{},\"from\":{},\"to\":{},\"xxh3\":\"{}\"}}\n", read.file,
                          read.from, read.to, read.checksum);
}

Result<std::map<uint32_t, std::vector<ContentRead>>> ReadContentLog(
    FileSystem& files, const std::string& path, const std::set<uint32_t>& wanted) {
  std::map<uint32_t, std::map<uint64_t, ContentRead>> longest;
  SLUICE_ASSIGN(const bool is_there, IsThere(files, path));
  if (is_there) {
    SLUICE_ASSIGN(auto file, files.Open(path, OpenMode::kRead));
    LineReader lines(MakeFileSource(std::move(file)));
    while (true) {
      SLUICE_ASSIGN(const auto line, lines.Next());
      if (!line.has_value()) {
        break;
      }
      const std::optional<ContentRead> read = Parse(*line);
      if (!read.has_value() || !wanted.contains(read->file)) {
        continue;
      }
      ContentRead& known = longest[read->file][read->from];
      if (read->to >= known.to) {
        known = *read;
      }
    }
  }
  std::map<uint32_t, std::vector<ContentRead>> reads;
  for (const auto& [number, by_place] : longest) {
    for (const auto& [from, read] : by_place) {
      reads[number].push_back(read);
    }
  }
  return reads;
}

}  // namespace sluice
