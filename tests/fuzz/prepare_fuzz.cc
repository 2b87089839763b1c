// A corpus of any bytes, cut into lines and validated by the product, and by a slow reference one
// line at a time: the same lines are blank, refused and accepted, at the same places.
#include <cstdint>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/prepare.h"
#include "io/corpus/corpus.h"
#include "io/json/record_scanner.h"
#include "tests/support/json_reference.h"
#include "tests/support/temp_folder.h"

namespace {

using Json = nlohmann::json;

constexpr size_t kLineBytesMax = 1000;

enum class Verdict { kBlank, kRefused, kAccepted, kEither };

void Expect(bool holds) {
  if (!holds) {
    std::abort();
  }
}

// Whether the text field is there and not empty; nothing when the slow parser cannot tell (members
// twice, numbers out of range, halves of surrogate pairs).
std::optional<bool> HasText(std::string_view line) {
  size_t names = 0;
  const Json record = Json::parse(
      line,
      [&](int, Json::parse_event_t event, Json&) {
        names += event == Json::parse_event_t::key ? 1 : 0;
        return true;
      },
      false);
  size_t members = 0;
  const std::function<void(const Json&)> count = [&](const Json& value) {
    members += value.is_object() ? value.size() : 0;
    for (const Json& element : value) {
      if (element.is_structured()) {
        count(element);
      }
    }
  };
  if (record.is_discarded()) {
    return std::nullopt;
  }
  count(record);
  if (names != members) {
    return std::nullopt;
  }
  const auto text = record.find("text");
  return text != record.end() && text->is_string() && !text->get_ref<const std::string&>().empty();
}

Verdict Judge(std::string_view line) {
  if (line.size() > kLineBytesMax) {
    return Verdict::kRefused;
  }
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
    return Verdict::kBlank;
  }
  if (!sluice::JsonReference::Accepts(line, sluice::RecordScanner::kDepthMax)) {
    return Verdict::kRefused;
  }
  const auto has_text = HasText(line);
  return !has_text.has_value() ? Verdict::kEither
                               : (*has_text ? Verdict::kAccepted : Verdict::kRefused);
}

struct Found {
  std::map<uint64_t, Verdict> verdicts;  // by offset
  std::map<uint64_t, uint64_t> lines;    // offset to number
  uint64_t blank = 0;
};

void Add(const sluice::PreparedBlock& prepared, Found& found) {
  for (const auto& record : prepared.records) {
    Expect(found.verdicts.emplace(record.place.offset, Verdict::kAccepted).second);
    found.lines[record.place.offset] = record.place.line;
  }
  for (const auto& reject : prepared.rejects) {
    Expect(found.verdicts.emplace(reject.place.offset, Verdict::kRefused).second);
    found.lines[reject.place.offset] = reject.place.line;
  }
  found.blank += prepared.blank;
}

Found Prepare(sluice::FileSystem& files, const sluice::CorpusOptions& options) {
  static const auto protocol = [] {
    sluice::RequestOptions request;
    request.model = "m";
    return sluice::MakeLineProtocol("gemini", request).value();
  }();
  static sluice::Preparer preparer(*protocol, "");
  const auto corpus =
      sluice::OpenCorpus(files, sluice::ListCorpusFiles(files, options).value(), options).value();
  Found found;
  sluice::Block block;
  sluice::PreparedBlock prepared;
  while (corpus->Next(block).value()) {
    preparer.Prepare(block, prepared);
    Add(prepared, found);
  }
  return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const sluice::TempFolder folder;
  static const auto files = sluice::MakePosixFileSystem();
  // The first byte chooses how small the blocks are. What begins as a packed file is not for here,
  // nor is a byte order mark, which is there for nobody.
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t block_bytes = text.empty() ? 64 : 16 + static_cast<uint8_t>(text[0]);
  text.remove_prefix(std::min<size_t>(1, text.size()));
  if (text.starts_with("\x1f\x8b") || text.starts_with("\x28\xb5\x2f\xfd") ||
      text.starts_with("\xef\xbb\xbf")) {
    return 0;
  }
  const std::string path = folder.Write("c.jsonl", text);
  const Found found = Prepare(*files, {.inputs = {path},
                                       .block_bytes = block_bytes,
                                       .line_bytes_max = kLineBytesMax,
                                       .spool_folder = folder.Path("spool")});
  uint64_t number = 1;
  uint64_t blank = 0;
  size_t judged = 0;
  for (size_t begin = 0; begin < text.size(); ++number) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const Verdict verdict = Judge(text.substr(begin, end - begin));
    const auto place = found.verdicts.find(begin);
    if (verdict == Verdict::kBlank) {
      ++blank;
      Expect(place == found.verdicts.end());
    } else {
      ++judged;
      Expect(place != found.verdicts.end() && found.lines.at(begin) == number);
      Expect(verdict == Verdict::kEither || place->second == verdict);
    }
    begin = end + 1;
  }
  Expect(found.blank == blank && found.verdicts.size() == judged);
  return 0;
}
