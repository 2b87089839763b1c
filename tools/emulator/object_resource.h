// The wire form of Cloud Storage's objects and of what a client says of them. Pure functions.
//
// Source: object resource of the JSON API v1 (2026-11).
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "tools/emulator/classic_error.h"
#include "tools/emulator/http_server.h"
#include "tools/emulator/object_store.h"

namespace sluice {

// Base64 of the four bytes, the highest first: "4waSgw==".
[[nodiscard]] std::string FormatCrc32c(uint32_t crc32c);

// The object resource, compact.
[[nodiscard]] std::string ObjectText(const StoredObject& object, const std::string& base_url);

// What a client says of an object that it sends: a resource with name, contentType, metadata and
// perhaps sums.
struct WantedObject {
  StoredObject object;
  ObjectSums sums;
};
// `text` may be empty. Members that mean nothing here are passed over, as the service does.
[[nodiscard]] std::expected<WantedObject, ClassicError> ReadWantedObject(std::string_view text,
                                                                         const std::string& bucket);

// "crc32c=...,md5=..." of x-goog-hash, added to `sums`; what is no hash is passed over.
void ReadHashHeader(std::string_view value, ObjectSums& sums);

// ifGenerationMatch and the like of a request. 400 for what is no number.
[[nodiscard]] std::expected<ObjectConditions, ClassicError> ReadConditions(
    const Exchange& exchange);

// An Error of the store as the service tells of it.
[[nodiscard]] ClassicError ToClassicError(const Error& error);

}  // namespace sluice
