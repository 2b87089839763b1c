// The routes by which objects come into the local Cloud Storage: in one request, or in many through
// a session that can be asked how far it came. Thread-safe.
//
// Source: https://cloud.google.com/storage/docs/performing-resumable-uploads (2026-11) and Google's
// storage-testbench.
#pragma once

#include "tools/emulator/storage_routes.h"

namespace sluice {

// POST, PUT and DELETE of /upload/storage/v1/b/BUCKET/o.
[[nodiscard]] StorageAnswer AnswerObjectUpload(Service& service, Exchange& exchange,
                                               const StoragePath& path);

}  // namespace sluice
