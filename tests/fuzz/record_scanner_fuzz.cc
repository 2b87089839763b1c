// RecordScanner and the slow reference must agree on every line, whatever stands behind it.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "io/corpus/corpus.h"
#include "io/json/json_text.h"
#include "io/json/record_scanner.h"
#include "tests/support/json_reference.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static sluice::RecordScanner scanner({"text", "a", "a.b"});
  // The input up to its first NUL NUL is the line, the rest stands behind it.
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(input.find(std::string_view("\0\0", 2)), size);
  std::string buffer(input);
  buffer.append(sluice::Block::kPadding, '"');
  const std::string_view line = std::string_view(buffer).substr(0, end);

  // As the first line of all that there is, it must be judged as it is alone.
  const std::string_view first = line.substr(0, line.find('\n'));
  const bool is_first_good = scanner.Scan(first).has_value();
  const sluice::ScannedLine in_text = scanner.ScanFirstLine(line);
  if (in_text.line != first || in_text.tokens.has_value() != is_first_good) {
    std::abort();
  }

  const auto scanned = scanner.Scan(line);
  const bool expected = sluice::JsonReference::Accepts(line, sluice::RecordScanner::kDepthMax);
  if (scanned.has_value() != expected) {
    std::abort();
  }
  if (!scanned.has_value()) {
    return scanned.error().offset <= line.size() ? 0 : (std::abort(), 0);
  }
  for (const std::string_view token : *scanned) {
    if (!token.starts_with('"')) {
      continue;
    }
    // Unescaped and escaped again it must still say the same.
    const std::string text = sluice::UnescapeJsonString(token);
    std::string again;
    sluice::AppendJsonString(again, text);
    if (sluice::FindInvalidUtf8(text).has_value() || sluice::UnescapeJsonString(again) != text) {
      std::abort();
    }
  }
  return 0;
}
