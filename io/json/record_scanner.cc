#include "io/json/record_scanner.h"

#include <algorithm>
#include <optional>
#include <simdjson.h>

#include "io/base/error.h"
#include "io/base/exhaustion.h"
#include "io/json/json_text.h"
#include "io/json/record_walk.h"
#include "io/json/string_end.h"

// How it works: one grammar (record_walk.h) with two cursors. On a processor with AVX2 a line is
// walked byte by byte, and strings, which are most of it, 64 bytes at a time; nothing is looked at
// twice, and where the line ends shows at its end. A line that this refuses, and every line
// elsewhere, is indexed by simdjson's first stage, which checks UTF-8 and control characters and
// writes down where every token begins, and walked over these places; only then a line is refused,
// with its place and reason. The walk is ours because simdjson's own second stages either build a
// tree or, on demand, skip what nobody asks for.
namespace sluice {
namespace {

using Indexer = simdjson::internal::dom_parser_implementation;

// Of the first stage, and so of both kernels.
constexpr ptrdiff_t kLineBytesMax = simdjson::SIMDJSON_MAXSIZE_BYTES;
// Lines up to here never allocate. Longer ones give their memory back: it is four bytes for a byte.
constexpr size_t kKeptCapacity = size_t{1} << 20;
static_assert(RecordScanner::kPadding >= kStringEndPadding);

// Goes by the places that simdjson's first stage wrote down; it has checked UTF-8 and raw control
// characters.
class IndexCursor {
 public:
  IndexCursor(std::string_view line, std::span<const uint32_t> places)
      : line_(line), places_(places) {}

  [[nodiscard]] const char* Here() const {
    return next_ < places_.size() ? line_.data() + places_[next_] : line_.data() + line_.size();
  }
  [[nodiscard]] char Peek() const { return next_ < places_.size() ? *Here() : '\0'; }
  void Step() { ++next_; }
  [[nodiscard]] bool AtLineEnd() const { return next_ == places_.size(); }

  std::string_view ReadString(EscapeFault& fault) {
    const char* open = Here();
    Step();
    // Between a string and the next token stands nothing but blanks (anything else would be a token
    // of its own), so its closing quote is found from behind.
    const char* close = Here() - 1;
    while (IsBlank(*close)) {
      --close;
    }
    if (close == open || *close != '"') {
      fault = {.at = open, .reason = "string is not closed"};
      return {};
    }
    fault = FindEscapeFault(open + 1, close);
    return fault.at == nullptr ? std::string_view(open, close + 1) : std::string_view();
  }

  // It must be followed by a blank or by the next token: simdjson takes 1x, 1"x" and true1 for one
  // token each.
  bool PassScalar(const char* end) {
    Step();
    return end == Here() || IsBlank(*end);
  }

 private:
  std::string_view line_;
  std::span<const uint32_t> places_;  // where tokens begin; a string is one token
  size_t next_ = 0;                   // in places_
};

// Goes by the bytes themselves, each of which is looked at once, up to the first LF, which stands
// in no string. What it refuses may still be good (string_end.h), and it does not say why.
class ByteCursor {
 public:
  explicit ByteCursor(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {
    SkipBlanks();
  }

  [[nodiscard]] const char* Here() const { return at_; }
  [[nodiscard]] char Peek() const { return at_ < end_ ? *at_ : '\0'; }
  void Step() { MoveTo(at_ + 1); }
  [[nodiscard]] bool AtLineEnd() const { return at_ == end_ || *at_ == '\n'; }

  std::string_view ReadString(EscapeFault& fault) {
    const char* open = at_;
    const char* close = FindStringEnd(open + 1, end_);
    if (close == nullptr) {
      fault = {.at = open, .reason = "string is not well formed"};
      return {};
    }
    MoveTo(close + 1);
    return {open, close + 1};
  }

  // What goes on behind `end` is taken for the next token, and no token can stand there but those
  // that may.
  bool PassScalar(const char* end) {
    MoveTo(end);
    return true;
  }

 private:
  void MoveTo(const char* at) {
    at_ = at;
    SkipBlanks();
  }
  void SkipBlanks() {
    while (at_ < end_ && IsBlank(*at_) && *at_ != '\n') {
      ++at_;
    }
  }

  const char* at_;
  const char* end_;
};

// Why simdjson's first stage refused `line`: a slow second look, since it does not say where.
LineFault FindTextFault(std::string_view line) {
  if (const std::optional<size_t> offset = FindInvalidUtf8(line)) {
    return {.offset = *offset, .reason = "not valid UTF-8"};
  }
  bool is_inside = false;
  bool is_escaped = false;
  size_t open = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    if (is_inside && static_cast<unsigned char>(line[i]) < 0x20) {
      return {.offset = i, .reason = "string holds a raw control character"};
    }
    if (line[i] == '"' && !is_escaped) {
      is_inside = !is_inside;
      open = i;
    }
    is_escaped = line[i] == '\\' && !is_escaped;
  }
  if (is_inside) {
    return {.offset = open, .reason = "string is not closed"};
  }
  return {.offset = 0, .reason = "expected one JSON object"};
}

void AppendUtf8(std::string& out, int character) {
  const auto append = [&out](int byte) { out.push_back(static_cast<char>(byte)); };
  const auto append_tail = [&append, character](int shift) {
    append(0x80 | ((character >> shift) & 0x3F));
  };
  if (character < 0x80) {
    append(character);
  } else if (character < 0x800) {
    append(0xC0 | (character >> 6));
    append_tail(0);
  } else if (character < 0x10000) {
    append(0xE0 | (character >> 12));
    append_tail(6);
    append_tail(0);
  } else {
    append(0xF0 | (character >> 18));
    append_tail(12);
    append_tail(6);
    append_tail(0);
  }
}

char UnescapeLetter(char letter) {
  switch (letter) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return letter;
  }
}

}  // namespace

struct RecordScanner::State {
  Field root;
  RecordKernel kernel = RecordKernel::kIndex;
  std::vector<std::string_view> tokens;
  std::unique_ptr<Indexer> indexer;  // made for the first line that needs it
  size_t capacity = 0;
  Containers containers;

  // The line that `text` begins with, and its tokens; nothing when only ScanIndexed() can tell.
  std::optional<std::string_view> WalkFirstLine(std::string_view text) {
    if (kernel != RecordKernel::kBytes) {
      return std::nullopt;
    }
    std::ranges::fill(tokens, std::string_view());
    RecordWalk walk(text, ByteCursor(text), containers, tokens);
    if (!walk.Run(root)) {
      return std::nullopt;
    }
    const ptrdiff_t size = walk.Here() - text.data();
    return size < kLineBytesMax ? std::optional(text.substr(0, static_cast<size_t>(size)))
                                : std::nullopt;
  }

  void Reserve(size_t size) {
    const size_t wanted = std::max(kKeptCapacity, size);
    if (wanted == capacity) {
      return;
    }
    const simdjson::error_code made =
        indexer == nullptr
            ? simdjson::get_active_implementation()->create_dom_parser_implementation(
                  wanted, kDepthMax, indexer)
            : indexer->set_capacity(wanted);
    RequireMemory(made == simdjson::SUCCESS);
    capacity = wanted;
  }

  RecordTokens ScanIndexed(std::string_view line) {
    if (std::ssize(line) >= kLineBytesMax) {
      return std::unexpected(LineFault{.offset = 0, .reason = "line is longer than 4 GiB"});
    }
    Reserve(line.size() + 1);
    const simdjson::error_code indexed = indexer->stage1(
        reinterpret_cast<const uint8_t*>(line.data()), line.size(), simdjson::stage1_mode::regular);
    RequireMemory(indexed != simdjson::MEMALLOC);
    if (indexed != simdjson::SUCCESS) {
      return std::unexpected(FindTextFault(line));
    }
    std::ranges::fill(tokens, std::string_view());
    const IndexCursor cursor(line,
                             {indexer->structural_indexes.get(), indexer->n_structural_indexes});
    RecordWalk walk(line, cursor, containers, tokens);
    if (!walk.Run(root)) {
      return std::unexpected(walk.fault());
    }
    return tokens;
  }
};

RecordKernel BestRecordKernel() {
  return CanFindStringEnd() ? RecordKernel::kBytes : RecordKernel::kIndex;
}

RecordScanner::RecordScanner(std::vector<std::string> paths, RecordKernel kernel)
    : state_(std::make_unique<State>()) {
  for (size_t i = 0; i < paths.size(); ++i) {
    Insert(state_->root, paths[i], i);
  }
  state_->kernel = kernel;
  state_->tokens.resize(paths.size());
}

RecordScanner::~RecordScanner() = default;

RecordTokens RecordScanner::Scan(std::string_view line) {
  const auto walked = state_->WalkFirstLine(line);
  if (walked.has_value() && walked->size() == line.size()) {
    return state_->tokens;
  }
  return state_->ScanIndexed(line);
}

ScannedLine RecordScanner::ScanFirstLine(std::string_view text) {
  if (const auto line = state_->WalkFirstLine(text)) {
    return {.line = *line, .tokens = state_->tokens};
  }
  const std::string_view line = text.substr(0, text.find('\n'));
  return {.line = line, .tokens = state_->ScanIndexed(line)};
}

std::string UnescapeJsonString(std::string_view token) {
  const std::string_view text = token.substr(1, token.size() - 2);
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const size_t backslash = std::min(text.find('\\', i), text.size());
    out.append(text, i, backslash - i);
    i = backslash;
    if (i == text.size()) {
      break;
    }
    if (text[i + 1] != 'u') {
      out.push_back(UnescapeLetter(text[i + 1]));
      i += 2;
      continue;
    }
    int character = ReadHex(&text[i + 2]);
    i += 6;
    if (IsHighSurrogate(character)) {
      character = 0x10000 + ((character - 0xD800) << 10) + (ReadHex(&text[i + 2]) - 0xDC00);
      i += 6;
    }
    AppendUtf8(out, character);
  }
  return out;
}

}  // namespace sluice
