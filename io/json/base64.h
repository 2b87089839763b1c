// Base64 (RFC 4648, with padding): for bytes that cannot stand in JSON. Thread-safe.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace sluice {

[[nodiscard]] std::string EncodeBase64(std::span<const std::byte> bytes);

}  // namespace sluice
