#include "tools/document_lookup.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <nlohmann/json.hpp>

#include "io/file/line_reader.h"
#include "io/json/json_document.h"
#include "io/json/record_scanner.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

// Ids are mostly strings, but a number or anything else that a record had there is an id too.
std::string IdText(const Json& id) { return id.is_string() ? id.get<std::string>() : id.dump(); }

std::optional<DocumentPlace> ParseIdsLine(std::string_view line) {
  const Json document = ParseJson(line);
  if (!document.is_object() || !document.contains("id")) {
    return std::nullopt;
  }
  const auto number = [&document](const char* name, uint64_t fallback) {
    const auto member = document.find(name);
    return member != document.end() && member->is_number_unsigned() ? member->get<uint64_t>()
                                                                    : fallback;
  };
  DocumentPlace found{
      .row = number("row", UINT64_MAX), .id = IdText(document["id"]), .file = {}, .place = {}};
  if (const auto file = document.find("file"); file != document.end() && file->is_string()) {
    found.file = file->get<std::string>();
  }
  found.place.line = number("line", 1);
  found.place.offset = number("offset", 0);
  return found;
}

// The block of the corpus that begins at the document.
Result<Block> ReadBlockAt(FileSystem& files, const std::string& path, const CorpusPlace& place) {
  CorpusOptions options;
  options.inputs = {path};
  options.block_bytes = size_t{1} << 16;
  SLUICE_ASSIGN(std::vector<CorpusFile> list, ListCorpusFiles(files, options));
  SLUICE_ASSIGN(const auto corpus, OpenCorpus(files, std::move(list), options, place));
  Block block;
  SLUICE_ASSIGN(const bool more, corpus->Next(block));
  if (!more) {
    return Fail(ErrorCode::kInput, "the corpus ends before the document");
  }
  return block;
}

std::optional<std::string> TextOf(const Block& block, const std::string& text_field) {
  if (block.format == InputFormat::kText) {
    if (block.texts.empty()) {
      return std::nullopt;
    }
    return std::string(block.bytes.substr(block.texts[0].begin, block.texts[0].size));
  }
  RecordScanner scanner({text_field});
  const auto tokens = scanner.Scan(block.bytes.substr(0, block.bytes.find('\n')));
  if (!tokens.has_value() || !tokens->front().starts_with('"')) {
    return std::nullopt;
  }
  return UnescapeJsonString(tokens->front());
}

}  // namespace

Result<std::vector<DocumentPlace>> FindDocuments(FileSystem& files, const std::string& ids_path,
                                                 std::span<const uint64_t> rows) {
  if (rows.empty()) {
    return std::vector<DocumentPlace>();
  }
  SLUICE_ASSIGN(auto file, files.Open(ids_path, OpenMode::kRead));
  LineReader reader(MakeFileSource(std::move(file)));
  std::map<uint64_t, DocumentPlace> found;
  for (const uint64_t row : rows) {
    found.emplace(row, DocumentPlace{});
  }
  const uint64_t last = found.rbegin()->first;
  for (uint64_t row = 0; row <= last; ++row) {
    SLUICE_ASSIGN(const std::optional<std::string_view> line, reader.Next());
    if (!line) {
      return Fail(ErrorCode::kInput, fmt::format("{} ends before row {}", ids_path, last),
                  "these ids belong to another array; name the right ones with --ids");
    }
    const auto wanted = found.find(row);
    if (wanted == found.end()) {
      continue;
    }
    std::optional<DocumentPlace> place = ParseIdsLine(*line);
    if (!place || place->row != row) {
      return Fail(ErrorCode::kInput,
                  fmt::format("{}:{} is no line about row {}", ids_path, row + 1, row));
    }
    wanted->second = std::move(*place);
  }
  std::vector<DocumentPlace> places;
  std::ranges::transform(rows, std::back_inserter(places),
                         [&found](uint64_t row) { return found.at(row); });
  return places;
}

std::optional<std::string> ReadDocument(FileSystem& files, const DocumentPlace& document,
                                        const DocumentSource& source) {
  if (document.file.empty() || document.file == "-") {
    return std::nullopt;
  }
  const auto known = source.paths.find(document.file);
  const std::string& path = known == source.paths.end() ? document.file : known->second;
  const Result<Block> block = ReadBlockAt(files, path, document.place);
  return block.has_value() ? TextOf(*block, source.text_field) : std::nullopt;
}

}  // namespace sluice
