#include "tools/emulator/object_resource.h"

#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include "api/http/decimal.h"
#include "io/json/base64.h"
#include "tools/emulator/json_field.h"
#include "tools/emulator/timestamp.h"

namespace sluice {

namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr size_t kNameBytesMax = 1024;
constexpr size_t kCrcBytes = 4;
constexpr size_t kMd5Bytes = 16;

std::string PercentEncode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

// Exactly `size` bytes, or nothing.
std::optional<std::string> DecodeBase64(std::string_view text, size_t size) {
  std::string bytes(text.size() / 4 * 3 + 3, '\0');
  const int count = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                    reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()));
  if (count < 0 || text.size() != (size + 2) / 3 * 4) {
    return std::nullopt;
  }
  bytes.resize(size);
  return bytes;
}

bool SetCrc32c(std::string_view text, ObjectSums& sums) {
  const auto bytes = DecodeBase64(text, kCrcBytes);
  if (!bytes.has_value()) {
    return false;
  }
  uint32_t value = 0;
  for (const char byte : *bytes) {
    value = value << 8 | static_cast<unsigned char>(byte);
  }
  sums.crc32c = value;
  return true;
}

bool SetMd5(std::string_view text, ObjectSums& sums) {
  const auto bytes = DecodeBase64(text, kMd5Bytes);
  sums.md5 = bytes.value_or("");
  return bytes.has_value();
}

}  // namespace

std::string FormatCrc32c(uint32_t crc32c) {
  std::array<std::byte, kCrcBytes> bytes{};
  for (size_t i = 0; i < kCrcBytes; ++i) {
    bytes[i] = static_cast<std::byte>(crc32c >> (24 - 8 * i));
  }
  return EncodeBase64(bytes);
}

std::string ObjectText(const StoredObject& object, const std::string& base_url) {
  const std::string path =
      fmt::format("/storage/v1/b/{}/o/{}", object.bucket, PercentEncode(object.name));
  const std::string generation = fmt::format("{}", object.generation);
  const std::string time = FormatTimestamp(object.generation * 1000);
  OrderedJson text = {{"kind", "storage#object"},
                      {"id", fmt::format("{}/{}/{}", object.bucket, object.name, generation)},
                      {"selfLink", base_url + path},
                      {"mediaLink", fmt::format("{}/download{}?generation={}&alt=media", base_url,
                                                path, generation)},
                      {"name", object.name},
                      {"bucket", object.bucket},
                      {"generation", generation},
                      {"metageneration", fmt::format("{}", object.metageneration)},
                      {"contentType", object.content_type},
                      {"storageClass", "STANDARD"},
                      {"size", fmt::format("{}", object.size)},
                      {"crc32c", FormatCrc32c(object.crc32c)},
                      {"etag", fmt::format("etag-{}-{}", generation, object.metageneration)},
                      {"timeCreated", time},
                      {"updated", time},
                      {"timeStorageClassUpdated", time}};
  if (!object.content_encoding.empty()) {
    text["contentEncoding"] = object.content_encoding;
  }
  if (!object.md5.empty()) {
    text["md5Hash"] = EncodeBase64(AsBytes(object.md5));
  }
  if (object.component_count > 0) {
    text["componentCount"] = object.component_count;
  }
  if (!object.metadata.empty()) {
    text["metadata"] = object.metadata;
  }
  return text.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

std::expected<WantedObject, ClassicError> ReadWantedObject(std::string_view text,
                                                           const std::string& bucket) {
  WantedObject wanted{.object = {.bucket = bucket, .name = {}}, .sums = {}};
  if (text.empty()) {
    return wanted;
  }
  const auto json = ParseMessage<OrderedJson>(text);
  if (!json.has_value()) {
    return std::unexpected(ClassicInvalid("Parse Error"));
  }
  wanted.object.name = TextMember(*json, "name");
  if (const std::string type = TextMember(*json, "contentType"); !type.empty()) {
    wanted.object.content_type = type;
  }
  wanted.object.content_encoding = TextMember(*json, "contentEncoding");
  for (const auto& [key, value] : ObjectMember(*json, "metadata").items()) {
    wanted.object.metadata[key] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  const std::string crc32c = TextMember(*json, "crc32c");
  const std::string md5 = TextMember(*json, "md5Hash");
  if ((!crc32c.empty() && !SetCrc32c(crc32c, wanted.sums)) ||
      (!md5.empty() && !SetMd5(md5, wanted.sums))) {
    return std::unexpected(ClassicInvalid("Invalid checksum."));
  }
  if (wanted.object.name.size() > kNameBytesMax) {
    return std::unexpected(ClassicInvalid("The object's name is too long."));
  }
  return wanted;
}

void ReadHashHeader(std::string_view value, ObjectSums& sums) {
  while (!value.empty()) {
    std::string_view part = value.substr(0, value.find(','));
    value.remove_prefix(std::min(value.size(), part.size() + 1));
    part.remove_prefix(std::min(part.find_first_not_of(' '), part.size()));
    if (part.starts_with("crc32c=")) {
      (void)SetCrc32c(part.substr(7), sums);
    } else if (part.starts_with("md5=")) {
      (void)SetMd5(part.substr(4), sums);
    }
  }
}

std::expected<ObjectConditions, ClassicError> ReadConditions(const Exchange& exchange) {
  ObjectConditions conditions;
  const std::pair<const char*, std::optional<int64_t>&> fields[] = {
      {"ifGenerationMatch", conditions.generation_match},
      {"ifGenerationNotMatch", conditions.generation_not_match},
      {"ifMetagenerationMatch", conditions.metageneration_match},
      {"ifMetagenerationNotMatch", conditions.metageneration_not_match}};
  for (const auto& [name, field] : fields) {
    if (const auto text = exchange.Query(name)) {
      field = ParseDecimal<int64_t>(*text);
      if (!field.has_value()) {
        return std::unexpected(ClassicInvalid(fmt::format("Invalid value for: {}", name)));
      }
    }
  }
  return conditions;
}

ClassicError ToClassicError(const Error& error) {
  switch (error.code) {
    case ErrorCode::kNotFound:
      return ClassicNotFound(error.message);
    case ErrorCode::kConflict:
      return {.status = 412, .reason = "conditionNotMet", .message = error.message};
    case ErrorCode::kInput:
      return ClassicInvalid(error.message);
    default:
      return {.status = 500, .reason = "backendError", .message = error.message};
  }
}

}  // namespace sluice
