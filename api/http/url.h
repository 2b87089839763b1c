// Url: the little that is needed of addresses. The grammar is narrower than RFC 3986 on purpose (no
// user names, no fragments, no characters that two parsers could read in two ways), so that what is
// checked here is what libcurl connects to. Immutable functions, thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "io/base/error.h"

namespace sluice {

struct Origin {
  std::string scheme;  // "https" or "http"
  std::string host;    // lower-case; IPv6 with its brackets
  int port = 0;        // the scheme's own when the address names none

  bool operator==(const Origin&) const = default;
};

// Errors: kUsage for anything but http(s)://host[:port][/path][?query] in plain ASCII.
[[nodiscard]] Result<Origin> ParseOrigin(std::string_view url);

// 127.0.0.0/8 as four decimal numbers, [::1] or localhost.
[[nodiscard]] bool IsLoopback(const Origin& origin);

// Where a machine in the cloud asks for its own sign-in: metadata.google.internal, or an address
// 169.254.0.0/16, which no router passes on (RFC 3927). It speaks plain http only.
[[nodiscard]] bool IsMetadataServer(const Origin& origin);

// "/v1beta/files" of "https://host/v1beta/files?upload_id=...".
[[nodiscard]] std::string_view UrlPath(std::string_view url);

// The base address in a variable that names a host ("127.0.0.1:4443", STORAGE_EMULATOR_HOST): plain
// http when it names no scheme. Clients differ in whether they add the API's `path` themselves: the
// value may end with it, which is cut off.
[[nodiscard]] std::string AddressOfHost(std::string host, std::string_view path);

// Percent-encodes all but unreserved characters.
[[nodiscard]] std::string EncodeQueryValue(std::string_view text);

}  // namespace sluice
