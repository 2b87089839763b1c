// RecordScanner: checks one line of JSON in full and finds the raw tokens of chosen fields.
//
// Accepts exactly: one JSON object (RFC 8259), valid UTF-8, every escape well formed, no lone
// surrogate escape, nesting at most kDepthMax, nothing behind the value but blank, tab, CR. Nothing
// is accepted on trust: fields that nobody asked for are walked too. A token is a view of the bytes
// as they stand in the line (a string with its quotes and escapes), so it can be copied verbatim.
// When a name occurs twice in an object, the last one counts, as with every mainstream parser.
// One thread at a time; lease it from a ResourcePool.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

// Why a line was refused. `offset` is in bytes from the start of the line, as near to the fault as
// can be told; `reason` is a whole clause in plain words ("string has a lone surrogate escape").
struct LineFault {
  size_t offset = 0;
  std::string reason;
};

// Of the fields of a line, in the order of the scanner's paths.
using RecordTokens = std::expected<std::span<const std::string_view>, LineFault>;

struct ScannedLine {
  std::string_view line;  // without its LF
  RecordTokens tokens;
};

// How lines are walked. Both give the same tokens and the same verdicts.
enum class RecordKernel {
  kIndex,  // simdjson's first stage, then its places
  kBytes,  // the bytes themselves, then kIndex for what it refuses; needs a processor with AVX2
};
[[nodiscard]] RecordKernel BestRecordKernel();  // of this processor

class RecordScanner {
 public:
  static constexpr size_t kDepthMax = 512;
  // Readable bytes that must stand behind the line.
  static constexpr size_t kPadding = 64;

  // Dotted paths ("text", "doc.body.title"); the tokens of Scan() stand in the same order.
  explicit RecordScanner(std::vector<std::string> paths, RecordKernel kernel = BestRecordKernel());
  ~RecordScanner();
  RecordScanner(const RecordScanner&) = delete;
  RecordScanner& operator=(const RecordScanner&) = delete;

  // `line` without its LF, with at least kPadding readable bytes behind it. The tokens are
  // views into `line` and are empty for fields that are absent; they live as long as `line` and
  // until the next Scan().
  [[nodiscard]] RecordTokens Scan(std::string_view line);
  // The same of the line that `text` begins with, whose end need not be known: that of most is
  // found on the way.
  [[nodiscard]] ScannedLine ScanFirstLine(std::string_view text);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The string inside a JSON string token. `token` must have been accepted by a RecordScanner.
[[nodiscard]] std::string UnescapeJsonString(std::string_view token);

}  // namespace sluice
