// The routes of Cloud Storage's JSON API: buckets, objects and their bytes. Uploads are in
// object_upload_routes.h. Thread-safe.
#pragma once

#include <string>

#include "tools/emulator/classic_error.h"
#include "tools/emulator/service.h"

namespace sluice {

[[nodiscard]] bool ServesStorage(const Exchange& exchange);
void AnswerStorage(Service& service, Exchange& exchange);

// What a path of the API names.
struct StoragePath {
  std::string prefix;  // "upload", "download" or nothing
  std::string bucket;
  bool in_objects = false;  // ".../o" and what is behind it
  std::string object;
  std::string verb;  // "compose"
};

// The JSON answer or refusal of a route; nothing when it answered by itself, or means never to
// answer.
using StorageAnswer = std::optional<std::expected<std::string, ClassicError>>;

}  // namespace sluice
