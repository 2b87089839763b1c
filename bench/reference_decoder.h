// The decoder that a good engineer would write first: simdjson on demand for the line and for every
// number. Kept so that ours has something to be measured against; it takes part in no product.
#pragma once

#include <memory>

#include "api/protocol/line_protocol.h"

namespace sluice {

// Wraps `protocol` (which must outlive it): the same requests, answers decoded by simdjson.
[[nodiscard]] std::unique_ptr<LineProtocol> MakeReferenceProtocol(const LineProtocol& protocol);

}  // namespace sluice
