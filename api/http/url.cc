#include "api/http/url.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fmt/format.h>
#include <optional>

#include "api/http/decimal.h"
#include "io/base/text.h"

namespace sluice {
namespace {

bool IsAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool IsHost(std::string_view host) {
  if (host.starts_with('[')) {
    return host.ends_with(']') && std::ranges::all_of(host.substr(1, host.size() - 2), [](char c) {
             return IsDigit(c) || (Lower(c) >= 'a' && Lower(c) <= 'f') || c == ':' || c == '.';
           });
  }
  return !host.empty() && std::ranges::all_of(host, [](char c) {
    return IsDigit(c) || IsAlpha(c) || c == '-' || c == '.';
  });
}

std::optional<std::array<uint8_t, 4>> ParseIpv4(std::string_view rest) {
  std::array<uint8_t, 4> address{};
  for (size_t part = 0; part < address.size(); ++part) {
    const size_t dot = rest.find('.');
    const auto number = ParseDecimal<uint8_t>(rest.substr(0, dot));
    if (!number || (dot == std::string_view::npos) != (part + 1 == address.size())) {
      return std::nullopt;
    }
    address[part] = *number;
    rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
  }
  return address;
}

bool IsPlain(std::string_view url) {
  constexpr std::string_view kForbidden = "\\\"<>^`{|}#@";
  return std::ranges::all_of(url, [&](char c) {
    return c > 0x20 && c < 0x7f && kForbidden.find(c) == std::string_view::npos;
  });
}

// Where the host and port end: at the first '/' or '?' behind the scheme.
size_t AuthorityEnd(std::string_view url, size_t begin) {
  return std::min(url.find_first_of("/?", begin), url.size());
}

}  // namespace

Result<Origin> ParseOrigin(std::string_view url) {
  const auto bad = [] {
    return Fail(ErrorCode::kUsage, "an address is not of the form https://host[:port]/path");
  };
  const size_t scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos || !IsPlain(url)) {
    return bad();
  }
  Origin origin;
  origin.scheme = url.substr(0, scheme_end);
  if (origin.scheme != "https" && origin.scheme != "http") {
    return bad();
  }
  const size_t begin = scheme_end + 3;
  std::string_view authority = url.substr(begin, AuthorityEnd(url, begin) - begin);
  origin.port = origin.scheme == "https" ? 443 : 80;
  const size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    const auto port = ParseDecimal<uint16_t>(authority.substr(colon + 1));
    if (!port || *port == 0) {
      return bad();
    }
    origin.port = *port;
    authority = authority.substr(0, colon);
  }
  if (!IsHost(authority)) {
    return bad();
  }
  origin.host = authority;
  std::ranges::transform(origin.host, origin.host.begin(), Lower);
  return origin;
}

bool IsLoopback(const Origin& origin) {
  if (origin.host == "localhost" || origin.host == "[::1]") {
    return true;
  }
  const auto address = ParseIpv4(origin.host);
  return address && address->front() == 127;
}

bool IsMetadataServer(const Origin& origin) {
  if (origin.host == "metadata.google.internal") {
    return true;
  }
  const auto address = ParseIpv4(origin.host);
  return address && (*address)[0] == 169 && (*address)[1] == 254;
}

std::string_view UrlPath(std::string_view url) {
  const size_t scheme_end = url.find("://");
  const size_t begin = AuthorityEnd(url, scheme_end == std::string_view::npos ? 0 : scheme_end + 3);
  return url.substr(begin, std::min(url.find('?', begin), url.size()) - begin);
}

std::string AddressOfHost(std::string host, std::string_view path) {
  if (host.find("://") == std::string::npos) {
    host.insert(0, "http://");
  }
  for (const std::string_view ending : {std::string_view("/"), path, std::string_view("/")}) {
    if (host.ends_with(ending)) {
      host.erase(host.size() - ending.size());
    }
  }
  return host;
}

std::string EncodeQueryValue(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (IsDigit(c) || IsAlpha(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace sluice
