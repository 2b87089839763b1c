// ApiKey: the key of an AI Studio project, and where it was found. Never on the command line, never
// in a log: a key is held here and in the requests that carry it. Immutable functions, thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "io/base/error.h"

namespace sluice {

struct ApiKey {
  std::string value = {};
  std::string origin = {};          // "GEMINI_API_KEY", a file's path or "standard input"
  bool readable_by_others = false;  // the file's mode lets group or world read it

  // What its owner should be told, or nothing.
  [[nodiscard]] std::string warning() const;
};

using EnvironmentLookup = std::function<std::optional<std::string>(const std::string& name)>;
// Of this process.
[[nodiscard]] std::optional<std::string> ProcessVariable(const std::string& name);

// Reads `key_file` ("-": standard input) when it is not empty; else takes GOOGLE_API_KEY, else
// GEMINI_API_KEY, the order of the official SDKs (@google/genai 3.1.0, 2026-11). Blanks around the
// key are cut off; a variable that is empty counts as absent. Errors: kAuth with a hint when there
// is no key, when its file cannot be read, or when it holds white space or other characters that no
// header may carry; kIo for standard input.
[[nodiscard]] Result<ApiKey> FindApiKey(const std::string& key_file,
                                        const EnvironmentLookup& environment);

// The same for the service at `base_url`: one on loopback asks for a key as the real one does, but
// takes any, so that none need be named.
[[nodiscard]] Result<ApiKey> FindApiKeyFor(const std::string& base_url, const std::string& key_file,
                                           const EnvironmentLookup& environment);

}  // namespace sluice
