// ObjectName: an object of Cloud Storage, as "gs://bucket/object" names it. Plain data; immutable
// functions.
//
// Rules of names: https://cloud.google.com/storage/docs/buckets#naming and objects#naming, 2026-11.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "io/base/error.h"

namespace sluice {

struct ObjectName {
  std::string bucket;
  std::string object;  // may hold slashes, which mean nothing to the service

  [[nodiscard]] auto operator<=>(const ObjectName& other) const = default;
};

// A place in a bucket under which objects lie: "gs://bucket" or "gs://bucket/some/prefix".
struct ObjectPrefix {
  std::string bucket;
  std::string prefix;  // empty: the whole bucket

  [[nodiscard]] bool operator==(const ObjectPrefix& other) const = default;
};

// Whether `text` is meant as an object's address: begins with "gs://".
[[nodiscard]] bool IsObjectUri(std::string_view text);

// 3 to 222 of a-z 0-9 - _ . with a letter or digit at both ends.
[[nodiscard]] bool IsBucketName(std::string_view bucket);
// 1 to 1024 bytes of UTF-8 without carriage returns, line feeds and NULs, and neither "." nor "..".
[[nodiscard]] bool IsObject(std::string_view object);

// Errors: kUsage for what breaks the rules above; a prefix may be empty.
[[nodiscard]] Result<ObjectName> ParseObjectUri(std::string_view uri);
[[nodiscard]] Result<ObjectPrefix> ParsePrefixUri(std::string_view uri);
// The same as a folder: what is not the whole bucket ends at a slash.
[[nodiscard]] Result<ObjectPrefix> ParseFolderUri(std::string_view uri);

// "gs://bucket/object".
[[nodiscard]] std::string FormatObjectUri(const ObjectName& name);

}  // namespace sluice
