#include "api/storage/remote_object.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include "api/http/google_error.h"
#include "api/http/json_depth.h"
#include "api/http/json_fields.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr int kObjectDepthMax = 64;

Json ParseShallow(std::string_view text) {
  return NestsDeeperThan(text, kObjectDepthMax) ? Json() : ParseJson(text);
}

// Base64 of four bytes, the highest first.
std::optional<uint32_t> ParseCrc32c(std::string_view text) {
  constexpr size_t kTextBytes = 8;
  unsigned char bytes[6] = {};
  if (text.size() != kTextBytes || !text.ends_with("==") ||
      EVP_DecodeBlock(bytes, reinterpret_cast<const unsigned char*>(text.data()), kTextBytes) < 0) {
    return std::nullopt;
  }
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

Result<RemoteObject> ReadObject(const Json& json) {
  RemoteObject object;
  object.name = {.bucket = TextMember(json, "bucket"), .object = TextMember(json, "name")};
  const auto size = IntegerMember(json, "size");
  if (!IsBucketName(object.name.bucket) || !IsObject(object.name.object) || !size || *size < 0) {
    return Fail(ErrorCode::kBadAnswer,
                fmt::format("an answer is not about an object of Cloud Storage (name '{}')",
                            PrintableText(object.name.object, 200)));
  }
  object.size = static_cast<uint64_t>(*size);
  object.generation = IntegerMember(json, "generation").value_or(0);
  object.crc32c = ParseCrc32c(TextMember(json, "crc32c"));
  object.content_type = TextMember(json, "contentType");
  object.content_encoding = TextMember(json, "contentEncoding");
  object.create_time = TextMember(json, "timeCreated");
  object.update_time = TextMember(json, "updated");
  return object;
}

}  // namespace

Result<RemoteObject> ParseRemoteObject(std::string_view json) {
  return ReadObject(ParseShallow(json));
}

Result<ObjectPage> ParseObjectPage(std::string_view text) {
  const Json json = ParseShallow(text);
  if (!json.is_object()) {
    return Fail(ErrorCode::kBadAnswer, "a list of objects is not a JSON object");
  }
  ObjectPage page;
  page.next_page_token = TextMember(json, "nextPageToken");
  if (const Json* items = FindMember(json, "items"); items != nullptr && items->is_array()) {
    for (const Json& item : *items) {
      SLUICE_ASSIGN(RemoteObject object, ReadObject(item));
      page.objects.push_back(std::move(object));
    }
  }
  if (const Json* names = FindMember(json, "prefixes"); names != nullptr && names->is_array()) {
    for (const Json& name : *names) {
      if (name.is_string()) {
        page.prefixes.push_back(name.get<std::string>());
      }
    }
  }
  return page;
}

}  // namespace sluice
