// One JSON document as a line. A template, so that no header names the JSON library.
#pragma once

#include <string>

#include "tools/terminal.h"

namespace sluice {

// With its line end. Bytes that are no UTF-8 are replaced. Where a person looks at it, everything
// beyond ASCII is escaped, too: nothing in it can steer the screen.
template <typename Json>
[[nodiscard]] std::string JsonLine(const Json& document, const Terminal& terminal = {}) {
  return document.dump(-1, ' ', terminal.is_terminal, Json::error_handler_t::replace) + '\n';
}

}  // namespace sluice
