#include "api/http/transport.h"

#include <algorithm>

namespace sluice {

std::optional<std::string_view> HttpResponse::Header(std::string_view name) const {
  const auto found =
      std::ranges::find_if(headers, [&](const auto& header) { return header.first == name; });
  if (found == headers.end()) {
    return std::nullopt;
  }
  return found->second;
}

}  // namespace sluice
