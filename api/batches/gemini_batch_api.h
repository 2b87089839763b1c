// The batch API of the Gemini Developer API.
#pragma once

#include <memory>

#include "api/batches/batch_api.h"
#include "api/http/google_service.h"

namespace sluice {

// `service` must outlive it.
[[nodiscard]] std::shared_ptr<const BatchApi> MakeGeminiBatchApi(const GoogleService& service);

}  // namespace sluice
