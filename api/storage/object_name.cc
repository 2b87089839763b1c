#include "api/storage/object_name.h"

#include <algorithm>
#include <fmt/format.h>

#include "api/http/google_error.h"
#include "io/json/json_text.h"

namespace sluice {
namespace {

constexpr std::string_view kScheme = "gs://";

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

Result<ObjectPrefix> SplitUri(std::string_view uri, const char* form) {
  const std::string_view rest = IsObjectUri(uri) ? uri.substr(kScheme.size()) : std::string_view();
  const size_t slash = rest.find('/');
  ObjectPrefix place{
      .bucket = std::string(rest.substr(0, slash)),
      .prefix = std::string(slash == std::string_view::npos ? std::string_view()
                                                            : rest.substr(slash + 1))};
  if (!place.bucket.empty() && !IsBucketName(place.bucket)) {
    return Fail(
        ErrorCode::kUsage,
        fmt::format("'{}' does not name a bucket, as {} does", PrintableText(uri, 200), form),
        "names of buckets have 3 to 222 characters, of a-z, 0-9, '-', '_' and '.', and begin "
        "and end with a letter or digit");
  }
  if (place.bucket.empty() || (!place.prefix.empty() && !IsObject(place.prefix))) {
    return Fail(ErrorCode::kUsage,
                fmt::format("'{}' is not an address like {}", PrintableText(uri, 200), form));
  }
  return place;
}

}  // namespace

bool IsObjectUri(std::string_view text) { return text.starts_with(kScheme); }

bool IsBucketName(std::string_view bucket) {
  return bucket.size() >= 3 && bucket.size() <= 222 && IsLowerOrDigit(bucket.front()) &&
         IsLowerOrDigit(bucket.back()) && std::ranges::all_of(bucket, [](char c) {
           return IsLowerOrDigit(c) || c == '-' || c == '_' || c == '.';
         });
}

bool IsObject(std::string_view object) {
  return !object.empty() && object.size() <= 1024 && object != "." && object != ".." &&
         object.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos &&
         !FindInvalidUtf8(object).has_value();
}

Result<ObjectName> ParseObjectUri(std::string_view uri) {
  constexpr const char* kForm = "gs://bucket/object";
  SLUICE_ASSIGN(ObjectPrefix place, SplitUri(uri, kForm));
  if (place.prefix.empty()) {
    return Fail(ErrorCode::kUsage,
                fmt::format("'{}' is not an address like {}", PrintableText(uri, 200), kForm));
  }
  return ObjectName{.bucket = std::move(place.bucket), .object = std::move(place.prefix)};
}

Result<ObjectPrefix> ParsePrefixUri(std::string_view uri) {
  return SplitUri(uri, "gs://bucket/prefix");
}

Result<ObjectPrefix> ParseFolderUri(std::string_view uri) {
  SLUICE_ASSIGN(ObjectPrefix folder, ParsePrefixUri(uri));
  folder.prefix += folder.prefix.empty() || folder.prefix.ends_with('/') ? "" : "/";
  return folder;
}

std::string FormatObjectUri(const ObjectName& name) {
  return fmt::format("{}{}/{}", kScheme, name.bucket, name.object);
}

}  // namespace sluice
