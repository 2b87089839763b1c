// CollectedBytes: takes a body that may begin anew, as those who fetch answers and objects do.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "api/http/transport.h"

namespace sluice {

struct CollectedBytes {
  std::string text = {};

  BodyWriter writer() {
    return [this](std::span<const std::byte> part) -> Result<void> {
      text.append(reinterpret_cast<const char*>(part.data()), part.size());
      return {};
    };
  }
  std::function<Result<void>()> restart() {
    return [this]() -> Result<void> {
      text.clear();
      return {};
    };
  }
};

}  // namespace sluice
