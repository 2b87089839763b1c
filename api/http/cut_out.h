// Keeping secrets out of texts that others wrote. A pure function, thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace sluice {

// What a service sends is not trusted to leave a key or a token out. A made-up key of a few letters
// (for the local service) stands in honest names and numbers too, and is no secret.
inline void CutOut(std::string& text, std::string_view secret) {
  constexpr std::string_view kInstead = "[key]";
  constexpr size_t kSecretBytesMin = 8;
  if (secret.size() < kSecretBytesMin) {
    return;
  }
  for (size_t at = text.find(secret); at != std::string::npos;
       at = text.find(secret, at + kInstead.size())) {
    text.replace(at, secret.size(), kInstead);
  }
}

}  // namespace sluice
