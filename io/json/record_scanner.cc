#include "io/json/record_scanner.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <simdjson.h>

#include "io/base/error.h"
#include "io/json/escape_check.h"
#include "io/json/json_text.h"

// How it works: simdjson's first stage checks UTF-8 and control characters and writes down where
// every token begins (it picks the best kernel for the processor at run time). The walk over these
// places is ours, because simdjson's own second stages either build a tree or, on demand, skip
// what nobody asks for. The walk knows the exact grammar, needs no stack and touches each byte of a
// string once more at most.
namespace sluice {
namespace {

using Indexer = simdjson::internal::dom_parser_implementation;

// Lines up to here never allocate. Longer ones give their memory back: it is four bytes for a byte.
constexpr size_t kKeptCapacity = size_t{1} << 20;
static_assert(RecordScanner::kPadding >= kEscapeCheckPadding);

// One name in the tree of wanted paths.
struct Field {
  std::string name = {};
  std::vector<Field> fields = {};
  std::vector<size_t> tokens = {};   // which tokens this very value fills
  std::vector<size_t> covered = {};  // the same of this value and all below it
};

void Insert(Field& root, std::string_view path, size_t token) {
  Field* field = &root;
  while (true) {
    const size_t dot = path.find('.');
    const std::string_view name = path.substr(0, dot);
    auto found = std::ranges::find(field->fields, name, &Field::name);
    if (found == field->fields.end()) {
      field->fields.push_back(Field{.name = std::string(name)});
      found = std::prev(field->fields.end());
    }
    field = &*found;
    field->covered.push_back(token);
    if (dot == std::string_view::npos) {
      field->tokens.push_back(token);
      return;
    }
    path.remove_prefix(dot + 1);
  }
}

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// An object or array that is open where the walk stands.
struct Container {
  const char* begin = nullptr;
  const Field* field = nullptr;  // null when nothing in it is wanted
  char closer = 0;
};
using Containers = std::array<Container, RecordScanner::kDepthMax>;

class RecordWalk {
 public:
  RecordWalk(std::string_view line, std::span<const uint32_t> places, Containers& containers,
             std::span<std::string_view> tokens)
      : line_(line), places_(places), containers_(containers), tokens_(tokens) {}

  // False when the line was refused, see fault().
  bool Run(const Field& root) {
    if (Peek() != '{') {
      return Refuse(Here(), "expected one JSON object");
    }
    for (const Field* field = &root;;) {
      const Step step = ReadValue(field);
      if (step == Step::kRefused || (step == Step::kRead && !EndValue())) {
        return false;
      }
      if (depth_ == 0) {
        return next_ == places_.size() || Refuse(Here(), "more text behind the record");
      }
      if (!ReadName(field)) {
        return false;
      }
    }
  }

  [[nodiscard]] const LineFault& fault() const { return fault_; }

 private:
  enum class Step { kRefused, kRead, kOpened };

  [[nodiscard]] const char* LineEnd() const { return line_.data() + line_.size(); }
  // The next token, or the end of the line.
  [[nodiscard]] const char* Here() const {
    return next_ < places_.size() ? line_.data() + places_[next_] : LineEnd();
  }
  // Its first byte; NUL (which begins no token) at the end.
  [[nodiscard]] char Peek() const { return next_ < places_.size() ? line_[places_[next_]] : '\0'; }

  [[gnu::cold]] bool Refuse(const char* at, std::string_view reason) {
    const std::string_view rest(at, static_cast<size_t>(LineEnd() - at));
    if (rest.starts_with("\xEF\xBB\xBF")) {
      reason = "BOM inside the file";
    } else if (rest.empty() && depth_ > 0) {
      reason = "record ends too early";
    }
    fault_ = {.offset = line_.size() - rest.size(), .reason = std::string(reason)};
    return false;
  }

  // The name and colon of a member; elements of an array have none, and nothing in them is wanted.
  bool ReadName(const Field*& field) {
    const Container& container = containers_[depth_ - 1];
    field = nullptr;
    if (container.closer != '}') {
      return true;
    }
    if (Peek() != '"') {
      return Refuse(Here(), "expected a name in quotes");
    }
    const std::string_view token = ReadString();
    if (token.empty()) {
      return false;
    }
    if (Peek() != ':') {
      return Refuse(Here(), "expected ':'");
    }
    ++next_;
    if (container.field != nullptr) {
      field = Find(*container.field, token);
    }
    return true;
  }

  // The wanted field of this name. What an earlier member of the same name gave is forgotten.
  const Field* Find(const Field& parent, std::string_view token) {
    std::string_view name = token.substr(1, token.size() - 2);
    std::string unescaped;
    if (name.find('\\') != std::string_view::npos) {
      unescaped = UnescapeJsonString(token);
      name = unescaped;
    }
    const auto found = std::ranges::find(parent.fields, name, &Field::name);
    if (found == parent.fields.end()) {
      return nullptr;
    }
    for (const size_t index : found->covered) {
      tokens_[index] = {};
    }
    return &*found;
  }

  Step ReadValue(const Field* field) {
    const char* begin = Here();
    switch (Peek()) {
      case '{':
        return Open(field, '}');
      case '[':
        return Open(field, ']');
      case '"': {
        const std::string_view token = ReadString();
        return token.empty() ? Step::kRefused : Read(field, token);
      }
      case 't':
        return ReadLiteral(field, "true");
      case 'f':
        return ReadLiteral(field, "false");
      case 'n':
        return ReadLiteral(field, "null");
      default:
        if (Peek() == '-' || IsDigit(Peek())) {
          return ReadNumber(field);
        }
        Refuse(begin, "expected a value");
        return Step::kRefused;
    }
  }

  Step Read(const Field* field, std::string_view token) {
    if (field != nullptr) {
      for (const size_t index : field->tokens) {
        tokens_[index] = token;
      }
    }
    return Step::kRead;
  }

  Step Open(const Field* field, char closer) {
    if (depth_ == containers_.size()) {
      Refuse(Here(), "nesting is deeper than 512");
      return Step::kRefused;
    }
    containers_[depth_] = {.begin = Here(), .field = field, .closer = closer};
    ++depth_;
    ++next_;
    if (Peek() != closer) {
      return Step::kOpened;
    }
    Close();
    return Step::kRead;
  }

  void Close() {
    --depth_;
    const Container& container = containers_[depth_];
    Read(container.field, {container.begin, Here() + 1});
    ++next_;
  }

  // Behind a value: closes what ends here, then takes the comma before the next value.
  bool EndValue() {
    while (depth_ > 0) {
      const char closer = containers_[depth_ - 1].closer;
      if (Peek() == ',') {
        ++next_;
        return true;
      }
      if (Peek() != closer) {
        return Refuse(Here(), closer == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
      }
      Close();
    }
    return true;
  }

  // The string token here, with its quotes; empty when it was refused.
  std::string_view ReadString() {
    const char* open = Here();
    ++next_;
    // Between a string and the next token stands nothing but blanks (anything else would be a token
    // of its own), so its closing quote is found from behind.
    const char* close = Here() - 1;
    while (IsBlank(*close)) {
      --close;
    }
    if (close == open || *close != '"') {
      Refuse(open, "string is not closed");
      return {};
    }
    return CheckEscapes(open + 1, close) ? std::string_view(open, close + 1) : std::string_view();
  }

  bool CheckEscapes(const char* begin, const char* end) {
    if (AreEscapesValid(begin, end)) {
      return true;
    }
    const EscapeFault fault = FindEscapeFault(begin, end);
    return Refuse(fault.at, fault.reason);
  }

  Step ReadLiteral(const Field* field, std::string_view word) {
    const char* begin = Here();
    ++next_;
    const std::string_view rest(begin, static_cast<size_t>(LineEnd() - begin));
    if (!rest.starts_with(word)) {
      Refuse(begin, "expected a value");
      return Step::kRefused;
    }
    return ReadScalar(field, begin, begin + word.size(), "expected a value");
  }

  Step ReadNumber(const Field* field) {
    const char* begin = Here();
    ++next_;
    const char* end = begin + (*begin == '-' ? 1 : 0);
    bool is_good = end < LineEnd() && IsDigit(*end);
    end = is_good && *end == '0' ? end + 1 : SkipDigits(end);
    if (is_good && end < LineEnd() && *end == '.') {
      const char* fraction = end + 1;
      end = SkipDigits(fraction);
      is_good = end > fraction;
    }
    if (is_good && end < LineEnd() && (*end == 'e' || *end == 'E')) {
      const char* exponent = end + 1;
      exponent += exponent < LineEnd() && (*exponent == '+' || *exponent == '-') ? 1 : 0;
      end = SkipDigits(exponent);
      is_good = end > exponent;
    }
    if (!is_good) {
      Refuse(begin, "number is not well formed");
      return Step::kRefused;
    }
    return ReadScalar(field, begin, end, "number is not well formed");
  }

  [[nodiscard]] const char* SkipDigits(const char* at) const {
    while (at < LineEnd() && IsDigit(*at)) {
      ++at;
    }
    return at;
  }

  // A number or literal must be followed by a blank or by the next token: simdjson takes 1x, 1"x"
  // and true1 for one token each.
  Step ReadScalar(const Field* field, const char* begin, const char* end, std::string_view reason) {
    if (end != Here() && !IsBlank(*end)) {
      Refuse(begin, reason);
      return Step::kRefused;
    }
    return Read(field, {begin, end});
  }

  std::string_view line_;
  std::span<const uint32_t> places_;  // where tokens begin; a string is one token
  size_t next_ = 0;                   // in places_
  Containers& containers_;
  size_t depth_ = 0;  // how many containers are open
  std::span<std::string_view> tokens_;
  LineFault fault_;
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
  std::vector<std::string_view> tokens;
  std::unique_ptr<Indexer> indexer;
  size_t capacity = 0;
  Containers containers;

  void Reserve(size_t size) {
    if (size == capacity) {
      return;
    }
    if (indexer->set_capacity(size) != simdjson::SUCCESS) {
      throw std::bad_alloc();
    }
    capacity = size;
  }
};

RecordScanner::RecordScanner(std::vector<std::string> paths) : state_(std::make_unique<State>()) {
  for (size_t i = 0; i < paths.size(); ++i) {
    Insert(state_->root, paths[i], i);
  }
  state_->tokens.resize(paths.size());
  const simdjson::error_code made =
      simdjson::get_active_implementation()->create_dom_parser_implementation(
          kKeptCapacity, kDepthMax, state_->indexer);
  if (made != simdjson::SUCCESS) {
    throw std::bad_alloc();
  }
  state_->capacity = kKeptCapacity;
}

RecordScanner::~RecordScanner() = default;

std::expected<std::span<const std::string_view>, LineFault> RecordScanner::Scan(
    std::string_view line) {
  if (line.size() >= simdjson::SIMDJSON_MAXSIZE_BYTES) {
    return std::unexpected(LineFault{.offset = 0, .reason = "line is longer than 4 GiB"});
  }
  state_->Reserve(std::max(kKeptCapacity, line.size() + 1));
  std::ranges::fill(state_->tokens, std::string_view());
  Indexer& indexer = *state_->indexer;
  const simdjson::error_code indexed = indexer.stage1(reinterpret_cast<const uint8_t*>(line.data()),
                                                      line.size(), simdjson::stage1_mode::regular);
  if (indexed == simdjson::MEMALLOC) {
    throw std::bad_alloc();
  }
  if (indexed != simdjson::SUCCESS) {
    return std::unexpected(FindTextFault(line));
  }
  RecordWalk walk(line, {indexer.structural_indexes.get(), indexer.n_structural_indexes},
                  state_->containers, state_->tokens);
  if (!walk.Run(state_->root)) {
    return std::unexpected(walk.fault());
  }
  return state_->tokens;
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
