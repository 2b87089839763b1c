// Routes: which call of the Gemini Developer API goes to which handler. Handlers live with their
// nouns (file_routes.h, upload_routes.h, batch_routes.h, model_routes.h) and are thread-safe.
#pragma once

#include "tools/emulator/service.h"

namespace sluice {

// Answers one exchange.
void HandleExchange(Service& service, Exchange& exchange);

}  // namespace sluice
