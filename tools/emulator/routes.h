// Routes: which call of the Gemini Developer API goes to which handler. Handlers live with their
// nouns (file_routes.h, upload_routes.h, batch_routes.h, model_routes.h) and are thread-safe.
#pragma once

#include <string_view>
#include <vector>

#include "tools/emulator/service.h"

namespace sluice {

// The names of all routes, as the counters have them; those that share one stand there again.
[[nodiscard]] std::vector<std::string_view> RouteNames();

// Answers one exchange.
void HandleExchange(Service& service, Exchange& exchange);

}  // namespace sluice
