// The route of uploads: Google's resumable protocol, X-Goog-Upload-*. Thread-safe.
#pragma once

#include "tools/emulator/service.h"

namespace sluice {

// POST /upload/{version}/files, with `upload_id` in the query for all but the start.
[[nodiscard]] RouteAnswer HandleUpload(Service& service, Call& call);

}  // namespace sluice
