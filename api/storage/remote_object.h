// RemoteObject: an object as Cloud Storage reports it. Plain data; members that the service left
// out are empty. Source: object resource of the JSON API v1 (2026-11).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/storage/object_name.h"
#include "io/base/error.h"

namespace sluice {

struct RemoteObject {
  ObjectName name;
  uint64_t size = 0;
  int64_t generation = 0;          // of this content under this name
  std::optional<uint32_t> crc32c;  // of all bytes; see io/base/crc32c.h
  std::string content_type;
  std::string content_encoding;
  std::string create_time, update_time;  // RFC 3339 as sent
};

struct ObjectPage {
  std::vector<RemoteObject> objects;
  std::vector<std::string> prefixes;  // with a delimiter: the names up to it, each once
  std::string next_page_token;        // empty at the end
};

// Errors: kBadAnswer without a bucket, a name and a size that can be.
[[nodiscard]] Result<RemoteObject> ParseRemoteObject(std::string_view json);
[[nodiscard]] Result<ObjectPage> ParseObjectPage(std::string_view json);

}  // namespace sluice
