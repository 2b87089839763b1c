// Routing of the APIs whose refusals are ClassicErrors: Cloud Storage and BigQuery. A template, one
// thread a call.
#pragma once

#include <algorithm>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "tools/emulator/classic_error.h"
#include "tools/emulator/service.h"

namespace sluice {

// One call of an API with paths of the kind `Path` and answers of the kind `Answer`.
template <typename Path, typename Answer>
struct ClassicRoute {
  std::string_view method;
  std::string_view name;  // in the counters
  bool fits = false;      // the path of the exchange at hand
  Answer (*handler)(Service& service, Exchange& exchange, const Path& path) = nullptr;
};

// Counts the call and answers it by the first route that fits, if whoever calls is signed in.
template <typename Path, typename Answer>
[[nodiscard]] Answer AnswerByRoute(Service& service, Exchange& exchange, const Path& path,
                                   std::span<const ClassicRoute<Path, Answer>> routes) {
  const auto route = std::ranges::find_if(routes, [&](const ClassicRoute<Path, Answer>& candidate) {
    return candidate.fits && candidate.method == exchange.method();
  });
  if (route == routes.end()) {
    service.counters.CountRequest("unknown");
    return std::unexpected(ClassicNotFound("Not Found"));
  }
  service.counters.CountRequest(std::string(route->name));
  if (!IsSignedIn(service, exchange)) {
    return std::unexpected(ClassicUnauthorized());
  }
  return route->handler(service, exchange, path);
}

}  // namespace sluice
