// The routes by which files come in: Google's resumable protocol, X-Goog-Upload-*, and its
// multipart one for small files. Thread-safe.
#pragma once

#include "tools/emulator/service.h"

namespace sluice {

// POST /upload/{version}/files, with `upload_id` in the query for all but the start.
[[nodiscard]] RouteAnswer HandleUpload(Service& service, Call& call);
// POST /{version}/files: a file of no bytes.
[[nodiscard]] RouteAnswer CreateFile(Service& service, Call& call);
// POST /{version}/files:register: files that stand for objects of Cloud Storage, which nobody reads
// here. Needs a bearer token, any one.
[[nodiscard]] RouteAnswer RegisterFiles(Service& service, Call& call);

}  // namespace sluice
