// RecordWalk: the grammar of one JSON record, walked over its tokens without a stack of calls. Of
// the scanner alone.
//
// Where tokens begin and what a string holds is the business of a Cursor:
//   const char* Here()               the next token, or the end of the line
//   char Peek()                      its first byte; NUL, which begins no token, at the end
//   void Step()                      past a token of one byte
//   std::string_view ReadString(f)   past a string: the token with its quotes, or empty and why
//   bool PassScalar(end)             past a number or literal; false when it goes on behind `end`
//   bool AtLineEnd()                 whether no token is left in the line
#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/text.h"
#include "io/json/escape_check.h"
#include "io/json/record_scanner.h"

namespace sluice {

// One name in the tree of wanted paths.
struct Field {
  std::string name = {};
  std::vector<Field> fields = {};
  std::vector<size_t> tokens = {};   // which tokens this very value fills
  std::vector<size_t> covered = {};  // the same of this value and all below it
};

inline void Insert(Field& root, std::string_view path, size_t token) {
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

inline bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// An object or array that is open where the walk stands.
struct Container {
  const char* begin = nullptr;
  const Field* field = nullptr;  // null when nothing in it is wanted
  char closer = 0;
};
using Containers = std::array<Container, RecordScanner::kDepthMax>;

template <typename Cursor>
class RecordWalk {
 public:
  RecordWalk(std::string_view line, Cursor cursor, Containers& containers,
             std::span<std::string_view> tokens)
      : line_(line), cursor_(cursor), containers_(containers), tokens_(tokens) {}

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
        return cursor_.AtLineEnd() || Refuse(Here(), "more text behind the record");
      }
      if (!ReadName(field)) {
        return false;
      }
    }
  }

  [[nodiscard]] const LineFault& fault() const { return fault_; }
  // The end of the line, when Run() was true.
  [[nodiscard]] const char* Here() const { return cursor_.Here(); }

 private:
  enum class Step { kRefused, kRead, kOpened };

  [[nodiscard]] const char* LineEnd() const { return line_.data() + line_.size(); }
  [[nodiscard]] char Peek() const { return cursor_.Peek(); }

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
    cursor_.Step();
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
    cursor_.Step();
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
    cursor_.Step();
  }

  // Behind a value: closes what ends here, then takes the comma before the next value.
  bool EndValue() {
    while (depth_ > 0) {
      const char closer = containers_[depth_ - 1].closer;
      if (Peek() == ',') {
        cursor_.Step();
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
    EscapeFault fault;
    const std::string_view token = cursor_.ReadString(fault);
    if (token.empty()) {
      Refuse(fault.at, fault.reason);
    }
    return token;
  }

  Step ReadLiteral(const Field* field, std::string_view word) {
    const char* begin = Here();
    const std::string_view rest(begin, static_cast<size_t>(LineEnd() - begin));
    if (!rest.starts_with(word)) {
      Refuse(begin, "expected a value");
      return Step::kRefused;
    }
    return ReadScalar(field, begin, begin + word.size(), "expected a value");
  }

  Step ReadNumber(const Field* field) {
    const char* begin = Here();
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

  Step ReadScalar(const Field* field, const char* begin, const char* end, std::string_view reason) {
    if (!cursor_.PassScalar(end)) {
      Refuse(begin, reason);
      return Step::kRefused;
    }
    return Read(field, {begin, end});
  }

  std::string_view line_;
  Cursor cursor_;
  Containers& containers_;
  size_t depth_ = 0;  // how many containers are open
  std::span<std::string_view> tokens_;
  LineFault fault_;
};

}  // namespace sluice
