// Names that nobody can guess, in the alphabet of the service's ids. Thread-safe.
#pragma once

#include <cstddef>
#include <string>

namespace sluice {

// `length` characters of [a-z0-9].
[[nodiscard]] std::string RandomId(size_t length);

}  // namespace sluice
