// The line protocols that MakeLineProtocol() can choose from: one line here, one line in
// registry.cc and one file for each API.
#pragma once

#include <memory>

#include "api/protocol/line_protocol.h"

namespace sluice {

[[nodiscard]] Result<std::unique_ptr<LineProtocol>> MakeGeminiLines(const RequestOptions& options);
[[nodiscard]] Result<std::unique_ptr<LineProtocol>> MakeVertexLines(const RequestOptions& options);

}  // namespace sluice
