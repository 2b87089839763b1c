#include "api/http/cut_out.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace sluice {
namespace {

constexpr std::string_view kInstead = "[key]";
constexpr size_t kSecretBytesMin = 8;

// How many bytes of `text` at `at` are the letter `wanted`, plain or escaped as \u00XX or with a
// backslash alone; 0 when it is another.
size_t LetterSize(std::string_view text, size_t at, char wanted) {
  constexpr size_t kEscapeSize = 6;
  if (at >= text.size()) {
    return 0;
  }
  if (text[at] == wanted) {
    return 1;
  }
  const std::string_view escape = text.substr(at, kEscapeSize);
  if (escape.starts_with("\\u") && escape.size() == kEscapeSize) {
    int code = 0;
    const auto read = std::from_chars(escape.begin() + 2, escape.end(), code, 16);
    return read.ptr == escape.end() && code == wanted ? kEscapeSize : 0;
  }
  return escape.size() > 1 && escape[0] == '\\' && escape[1] == wanted ? 2 : 0;
}

// The same of a whole word.
size_t WordSize(std::string_view text, size_t at, std::string_view word) {
  const size_t begin = at;
  for (const char letter : word) {
    const size_t size = LetterSize(text, at, letter);
    if (size == 0) {
      return 0;
    }
    at += size;
  }
  return at - begin;
}

void CutOutEscaped(std::string& text, std::string_view secret) {
  const char begins[] = {secret.front(), '\\'};
  size_t at = 0;
  while ((at = text.find_first_of(begins, at, sizeof begins)) != std::string::npos) {
    const size_t size = WordSize(text, at, secret);
    if (size == 0) {
      ++at;
    } else {
      text.replace(at, size, kInstead);
      at += kInstead.size();
    }
  }
}

// How many bytes at the end of `text` are the beginning of `secret`, and not the whole of it.
size_t BeginningSize(std::string_view text, std::string_view secret) {
  for (size_t size = std::min(text.size(), secret.size() - 1); size > 0; --size) {
    if (secret.starts_with(text.substr(text.size() - size))) {
      return size;
    }
  }
  return 0;
}

}  // namespace

bool IsSecret(std::string_view word) { return word.size() >= kSecretBytesMin; }

void CutOut(std::string& text, std::string_view secret) {
  if (!IsSecret(secret)) {
    return;
  }
  for (size_t at = text.find(secret); at != std::string::npos;
       at = text.find(secret, at + kInstead.size())) {
    text.replace(at, secret.size(), kInstead);
  }
  if (text.find('\\') != std::string::npos) {
    CutOutEscaped(text, secret);
  }
}

Result<void> SecretMask::Write(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  // Nearly always there is nothing to do, and nothing is copied.
  const bool is_clean = held_.empty() && text.find(secret_) == std::string_view::npos &&
                        BeginningSize(text, secret_) == 0;
  return is_clean ? writer_(bytes) : WriteMasked(held_.append(text));
}

Result<void> SecretMask::WriteMasked(std::string text) {
  for (size_t at = text.find(secret_); at != std::string::npos;
       at = text.find(secret_, at + secret_.size())) {
    std::fill_n(text.begin() + static_cast<ptrdiff_t>(at), secret_.size(), '*');
  }
  const size_t ready = text.size() - BeginningSize(text, secret_);
  held_ = text.substr(ready);
  return ready == 0 ? Result<void>() : writer_(std::as_bytes(std::span(text.data(), ready)));
}

Result<void> SecretMask::Flush() {
  const std::string rest = std::exchange(held_, {});
  return rest.empty() ? Result<void>() : writer_(std::as_bytes(std::span(rest)));
}

}  // namespace sluice
