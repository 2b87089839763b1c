// Instants as the service writes and the state folder keeps them. Immutable functions.
#pragma once

#include <cstdint>
#include <string>

#include "io/base/clock.h"

namespace sluice {

// Nanoseconds since 1970, UTC.
[[nodiscard]] int64_t UnixNanoseconds(WallTime time);

// RFC 3339 with nine digits of fraction, as in the service's batch answers:
// 2026-08-19T14:34:12.267870162Z.
[[nodiscard]] std::string FormatTimestamp(int64_t unix_nanoseconds);

}  // namespace sluice
