#include "engine/prepare.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <optional>

#include "io/json/json_document.h"
#include "io/json/json_text.h"

namespace sluice {
namespace {

static_assert(Block::kPadding >= RecordScanner::kPadding);

// How long the line is that `text` begins with, when it is blank.
std::optional<size_t> SizeOfBlankLine(std::string_view text) {
  const size_t size = std::min(text.find_first_not_of(" \t\r"), text.size());
  return size == text.size() || text[size] == '\n' ? std::optional(size) : std::nullopt;
}

// A string or a number can stand as an id; of anything else the place is the id.
bool IsIdToken(std::string_view token) {
  return !token.empty() && (token.front() == '"' || token.front() == '-' ||
                            (token.front() >= '0' && token.front() <= '9'));
}

// What the record does have, for the message about a field that it has not.
std::string KnownFields(std::string_view line) {
  constexpr size_t kLineBytesMax = 65'536;
  constexpr size_t kNamesMax = 12;
  if (line.size() > kLineBytesMax) {
    return {};
  }
  const auto record = ParseJson(line);
  std::vector<std::string> names;
  if (record.is_object()) {
    for (const auto& [name, value] : record.items()) {
      names.push_back(name);
    }
  }
  if (names.empty() || names.size() > kNamesMax) {
    return {};
  }
  return fmt::format(" (fields: {})", fmt::join(names, ", "));
}

std::vector<std::string> WithId(std::span<const std::string> fields, std::string id_field) {
  std::vector<std::string> all(fields.begin(), fields.end());
  all.push_back(id_field.empty() ? "id" : std::move(id_field));
  return all;
}

}  // namespace

void PreparedBlock::Clear() {
  lines.clear();
  records.clear();
  rejects.clear();
  blank = 0;
}

Preparer::Preparer(const LineProtocol& protocol, std::string id_field)
    : protocol_(protocol),
      fields_(WithId(protocol.fields(), std::move(id_field))),
      scratch_([this] { return std::make_unique<Scratch>(fields_); }) {}

void Preparer::Prepare(const Block& block, PreparedBlock& out) {
  out.Clear();
  // Request lines are a little longer than records; growing by doubling would hold twice as much.
  out.lines.reserve(block.bytes.size() + block.bytes.size() / 8);
  const auto scratch = scratch_.Take();
  if (block.format == InputFormat::kJsonLines) {
    PrepareLines(block, *scratch, out);
  } else {
    PrepareTexts(block, *scratch, out);
  }
  for (const OversizeUnit& unit : block.oversize) {
    out.rejects.push_back({.place = unit.place,
                           .fault_offset = unit.place.offset,
                           .reason = "longer than the limit of one line (--max-line-bytes)",
                           .raw = {},
                           .spool_path = unit.spool_path,
                           .size = unit.size,
                           .checksum = unit.checksum});
  }
}

void Preparer::PrepareLines(const Block& block, Scratch& scratch, PreparedBlock& out) const {
  CorpusPlace place = block.begin;
  std::string_view rest = block.bytes;
  while (!rest.empty()) {
    size_t size = 0;
    if (const auto blank = SizeOfBlankLine(rest)) {
      ++out.blank;
      size = *blank;
    } else {
      const ScannedLine scanned = scratch.scanner.ScanFirstLine(rest);
      PrepareLine(scanned, place, out);
      size = scanned.line.size();
    }
    const size_t step = std::min(size + 1, rest.size());
    rest.remove_prefix(step);
    place.offset += step;
    ++place.line;
  }
}

void Preparer::PrepareLine(const ScannedLine& scanned, const CorpusPlace& place,
                           PreparedBlock& out) const {
  const auto& [line, tokens] = scanned;
  if (!tokens.has_value()) {
    out.rejects.push_back({.place = place,
                           .fault_offset = place.offset + tokens.error().offset,
                           .reason = tokens.error().reason,
                           .raw = line,
                           .spool_path = {},
                           .size = line.size()});
    return;
  }
  const size_t begin = out.lines.size();
  const auto fields = tokens->first(tokens->size() - 1);
  const auto bytes = protocol_.AppendRequest(fields, out.lines);
  if (!bytes.has_value()) {
    const bool lacks_field = std::ranges::any_of(fields, &std::string_view::empty);
    out.rejects.push_back({.place = place,
                           .fault_offset = place.offset,
                           .reason = bytes.error() + (lacks_field ? KnownFields(line) : ""),
                           .raw = line,
                           .spool_path = {},
                           .size = line.size()});
    return;
  }
  const std::string_view id = tokens->back();
  out.records.push_back({.line_begin = begin,
                         .text_bytes = *bytes,
                         .place = place,
                         .blank_before = out.blank,
                         .id = IsIdToken(id) ? id : std::string_view{}});
}

void Preparer::PrepareTexts(const Block& block, Scratch& scratch, PreparedBlock& out) const {
  const std::optional<size_t> text_field = protocol_.text_field_index();
  for (const TextUnit& unit : block.texts) {
    const std::string_view text = block.bytes.substr(unit.begin, unit.size);
    const CorpusPlace place{.file = unit.file, .line = 1, .offset = unit.offset};
    Reject reject{.place = place,
                  .fault_offset = unit.offset,
                  .reason = {},
                  .raw = text,
                  .spool_path = {},
                  .size = text.size()};
    if (const auto fault = FindInvalidUtf8(text); fault.has_value()) {
      reject.reason = "not valid UTF-8";
      reject.fault_offset = unit.offset + *fault;
    } else if (text.empty()) {
      reject.reason = "the file is empty";
    } else if (!text_field.has_value()) {
      reject.reason = "a text file has no fields; the requests need JSON lines";
    } else {
      scratch.text_token.clear();
      AppendJsonString(scratch.text_token, text);
      scratch.text_tokens.assign(protocol_.fields().size(), {});
      scratch.text_tokens[*text_field] = scratch.text_token;
      const size_t begin = out.lines.size();
      const auto bytes = protocol_.AppendRequest(scratch.text_tokens, out.lines);
      if (bytes.has_value()) {
        out.records.push_back({.line_begin = begin,
                               .text_bytes = *bytes,
                               .place = place,
                               .blank_before = 0,
                               .id = {}});
        continue;
      }
      reject.reason = bytes.error();
    }
    out.rejects.push_back(std::move(reject));
  }
}

}  // namespace sluice
