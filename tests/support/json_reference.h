// JsonReference: a slow, plain validator with the same verdict as RecordScanner, written as the
// grammar of RFC 8259 reads: one function a rule, one character at a time. Nothing of it is shared
// with the code that it judges. Immutable functions.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice {

class JsonReference {
 public:
  // Whether `line` is one JSON object in valid UTF-8, no deeper than `depth_max`.
  [[nodiscard]] static bool Accepts(std::string_view line, size_t depth_max) {
    if (!IsUtf8(line)) {
      return false;
    }
    JsonReference reference(line, depth_max);
    reference.SkipBlanks();
    const bool is_object = reference.Object(1);
    reference.SkipBlanks();
    return is_object && reference.rest_.empty();
  }

 private:
  JsonReference(std::string_view line, size_t depth_max) : rest_(line), depth_max_(depth_max) {}

  static bool IsUtf8(std::string_view text) {
    while (!text.empty()) {
      const auto lead = static_cast<unsigned char>(text[0]);
      const size_t size = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : 4;
      if ((size == 4 && lead >> 3 != 30) || text.size() < size) {
        return false;
      }
      uint32_t character = size == 1 ? lead : lead & (0xFFu >> (size + 1));
      for (size_t i = 1; i < size; ++i) {
        const auto tail = static_cast<unsigned char>(text[i]);
        if (tail >> 6 != 2) {
          return false;
        }
        character = character << 6 | (tail & 0x3Fu);
      }
      constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
      if (character < kLeast[size] || character > 0x10FFFF || character >> 11 == 0x1B) {
        return false;
      }
      text.remove_prefix(size);
    }
    return true;
  }

  [[nodiscard]] bool Is(char c) const { return !rest_.empty() && rest_[0] == c; }
  bool Take(char c) {
    const bool is_there = Is(c);
    rest_.remove_prefix(is_there ? 1 : 0);
    return is_there;
  }
  bool TakeWord(std::string_view word) {
    const bool is_there = rest_.starts_with(word);
    rest_.remove_prefix(is_there ? word.size() : 0);
    return is_there;
  }
  void SkipBlanks() {
    while (Is(' ') || Is('\t') || Is('\r') || Is('\n')) {
      rest_.remove_prefix(1);
    }
  }

  bool Value(size_t depth) {
    SkipBlanks();
    const bool is_good =
        Is('{')   ? Object(depth)
        : Is('[') ? Array(depth)
        : Is('"') ? String()
                  : TakeWord("true") || TakeWord("false") || TakeWord("null") || Number();
    SkipBlanks();
    return is_good;
  }

  bool Object(size_t depth) {
    if (depth > depth_max_ || !Take('{')) {
      return false;
    }
    SkipBlanks();
    if (Take('}')) {
      return true;
    }
    do {
      SkipBlanks();
      if (!String()) {
        return false;
      }
      SkipBlanks();
      if (!Take(':') || !Value(depth + 1)) {
        return false;
      }
    } while (Take(','));
    return Take('}');
  }

  bool Array(size_t depth) {
    if (depth > depth_max_ || !Take('[')) {
      return false;
    }
    SkipBlanks();
    if (Take(']')) {
      return true;
    }
    do {
      if (!Value(depth + 1)) {
        return false;
      }
    } while (Take(','));
    return Take(']');
  }

  bool String() {
    if (!Take('"')) {
      return false;
    }
    while (!rest_.empty()) {
      if (Take('"')) {
        return true;
      }
      if (static_cast<unsigned char>(rest_[0]) < 0x20) {
        return false;
      }
      if (!Take('\\')) {
        rest_.remove_prefix(1);
      } else if (!Escape()) {
        return false;
      }
    }
    return false;
  }

  bool Escape() {
    if (!Is('u')) {
      const bool is_known =
          !rest_.empty() && std::string_view("\"\\/bfnrt").find(rest_[0]) != std::string_view::npos;
      rest_.remove_prefix(is_known ? 1 : 0);
      return is_known;
    }
    const int unit = Unit();
    if (unit < 0 || (unit >= 0xDC00 && unit <= 0xDFFF)) {
      return false;
    }
    if (unit < 0xD800 || unit > 0xDBFF) {
      return true;
    }
    const int low = Take('\\') ? Unit() : -1;
    return low >= 0xDC00 && low <= 0xDFFF;
  }

  // uXXXX, or -1.
  int Unit() {
    if (!Take('u')) {
      return -1;
    }
    int unit = 0;
    for (int i = 0; i < 4; ++i) {
      const std::string_view digits = "0123456789abcdef";
      const size_t digit =
          rest_.empty()
              ? std::string_view::npos
              : digits.find(static_cast<char>(std::tolower(static_cast<unsigned char>(rest_[0]))));
      if (digit == std::string_view::npos) {
        return -1;
      }
      unit = unit * 16 + static_cast<int>(digit);
      rest_.remove_prefix(1);
    }
    return unit;
  }

  bool Digits() {
    const size_t count = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    rest_.remove_prefix(count);
    return count > 0;
  }

  bool Number() {
    Take('-');
    if (!Take('0') && !Digits()) {
      return false;
    }
    if (Take('.') && !Digits()) {
      return false;
    }
    if (Take('e') || Take('E')) {
      if (!Take('+')) {
        Take('-');
      }
      return Digits();
    }
    return true;
  }

  std::string_view rest_;
  size_t depth_max_;
};

}  // namespace sluice
