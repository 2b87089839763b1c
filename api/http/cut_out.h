// Keeping secrets out of what others wrote. A made-up key of a few letters (for the local service)
// stands in honest names and numbers too, and is no secret.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "api/http/transport.h"

namespace sluice {

// Replaces `secret`, also where letters of it are written as JSON writes them (\u0041): whoever
// parses the text must not find it again. A pure function, thread-safe.
void CutOut(std::string& text, std::string_view secret);

// Hands bytes on as they come, with as many '*' in the place of a secret: what counts bytes, like
// the range of a download, stays right. Holds back what may be the beginning of one, at most one
// byte less than it. One thread at a time.
class SecretMask {
 public:
  // Both must outlive the mask.
  SecretMask(std::string_view secret, const BodyWriter& writer)
      : secret_(secret), writer_(writer) {}

  [[nodiscard]] Result<void> Write(std::span<const std::byte> bytes);
  // What is held back. The body has ended.
  [[nodiscard]] Result<void> Flush();

 private:
  Result<void> WriteMasked(std::string text);

  const std::string_view secret_;
  const BodyWriter& writer_;
  std::string held_;
};

// Whether a word is long enough to be one.
[[nodiscard]] bool IsSecret(std::string_view word);

}  // namespace sluice
