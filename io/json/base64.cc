#include "io/json/base64.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace sluice {

std::string EncodeBase64(std::span<const std::byte> bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr size_t kGroup = 3;
  std::string text;
  text.reserve((bytes.size() + kGroup - 1) / kGroup * 4);
  for (size_t begin = 0; begin < bytes.size(); begin += kGroup) {
    const auto group = bytes.subspan(begin, std::min(kGroup, bytes.size() - begin));
    uint32_t bits = 0;
    for (size_t i = 0; i < kGroup; ++i) {
      bits = bits << 8 | (i < group.size() ? std::to_integer<uint32_t>(group[i]) : 0);
    }
    for (size_t i = 0; i <= kGroup; ++i) {
      text.push_back(i <= group.size() ? kAlphabet[bits >> (18 - 6 * i) & 63] : '=');
    }
  }
  return text;
}

}  // namespace sluice
