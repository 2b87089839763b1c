// The routes of files: get, list, delete, download. Thread-safe.
#pragma once

#include "tools/emulator/service.h"

namespace sluice {

[[nodiscard]] RouteAnswer ListFiles(Service& service, Call& call);
[[nodiscard]] RouteAnswer GetFile(Service& service, Call& call);
[[nodiscard]] RouteAnswer DeleteFile(Service& service, Call& call);
[[nodiscard]] RouteAnswer DownloadFile(Service& service, Call& call);

}  // namespace sluice
