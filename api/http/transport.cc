#include "api/http/transport.h"

#include <algorithm>
#include <fmt/format.h>

#include "api/http/url.h"

namespace sluice {

std::string WhatWasAsked(const HttpRequest& request) {
  return request.label.empty() ? fmt::format("{} {}", request.method, UrlPath(request.url))
                               : request.label;
}

std::optional<std::string_view> HttpResponse::Header(std::string_view name) const {
  const auto found =
      std::ranges::find_if(headers, [&](const auto& header) { return header.first == name; });
  if (found == headers.end()) {
    return std::nullopt;
  }
  return found->second;
}

}  // namespace sluice
