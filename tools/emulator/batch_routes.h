// The routes of batch jobs: create, get, list, cancel, delete, update. Thread-safe.
#pragma once

#include "tools/emulator/service.h"

namespace sluice {

[[nodiscard]] RouteAnswer CreateEmbedBatch(Service& service, Call& call);
[[nodiscard]] RouteAnswer CreateGenerateBatch(Service& service, Call& call);
[[nodiscard]] RouteAnswer ListBatches(Service& service, Call& call);
[[nodiscard]] RouteAnswer GetBatch(Service& service, Call& call);
[[nodiscard]] RouteAnswer CancelBatch(Service& service, Call& call);
[[nodiscard]] RouteAnswer DeleteBatch(Service& service, Call& call);
[[nodiscard]] RouteAnswer UpdateEmbedBatch(Service& service, Call& call);
[[nodiscard]] RouteAnswer UpdateGenerateBatch(Service& service, Call& call);

}  // namespace sluice
