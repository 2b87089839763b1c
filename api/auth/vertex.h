// What Vertex AI alone has, and asking for it today. Immutable function, thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "io/base/error.h"

namespace sluice {

// "gcs_uri comes with the Vertex backend": kUsage.
[[nodiscard]] inline std::unexpected<Error> FailForVertex(std::string_view what) {
  return Fail(ErrorCode::kUsage, std::string(what) + " comes with the Vertex backend",
              "use the Gemini Developer API: an API key, uploaded files and inline requests");
}

}  // namespace sluice
