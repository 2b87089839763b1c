#include "tools/emulator/service.h"

#include <charconv>
#include <fmt/format.h>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "api/http/json_fields.h"
#include "io/json/json_document.h"

namespace sluice {

namespace {

constexpr size_t kBodyReadBytes = 64 << 10;
constexpr size_t kPageMax = 100;
constexpr std::string_view kTokenMark = "after/";

HttpHeaders JsonHeaders() {
  return {{"Content-Type", "application/json; charset=UTF-8"}, {"Server", "sluice"}};
}

template <typename T>
std::optional<T> ParseNumber(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value)
                                                                  : std::nullopt;
}

}  // namespace

void SendErrorBody(Service& service, Exchange& exchange, int status, const std::string& compact) {
  if (service.faults.Happens(Fault::kErrorEmpty)) {
    exchange.Respond(status, {}, "");
  } else if (service.faults.Happens(Fault::kErrorHtml)) {
    exchange.Respond(status, {{"Content-Type", "text/html; charset=UTF-8"}},
                     fmt::format("<!DOCTYPE html>\n<html><title>Error {0}</title>"
                                 "<p><b>{0}.</b> That's an error.</html>\n",
                                 status));
  } else if (service.faults.Happens(Fault::kErrorArray)) {
    exchange.Respond(status, JsonHeaders(), FormatJson(exchange, fmt::format("[{}]", compact)));
  } else {
    exchange.Respond(status, JsonHeaders(), FormatJson(exchange, compact));
  }
}

bool IsSignedIn(Service& service, const Exchange& exchange) {
  return !service.faults.Happens(Fault::kTokenRefused) &&
         service.tokens.Accepts(exchange.Header("authorization"));
}

std::string BaseUrl(const Exchange& exchange) {
  return fmt::format("http://{}", exchange.Header("host").value_or("localhost"));
}

ApiError ToApiError(const Error& error) {
  return {.code = RpcCode::kInternal, .message = error.message};
}

ApiAnswer ReadSmallBody(const Service& service, Exchange& exchange) {
  std::string body;
  std::vector<std::byte> buffer(kBodyReadBytes);
  while (true) {
    const Result<size_t> count = exchange.ReadBody(buffer);
    if (!count.has_value()) {
      return std::unexpected(
          ApiError{.code = RpcCode::kCancelled, .message = "The body broke off."});
    }
    if (*count == 0) {
      return body;
    }
    body.append(reinterpret_cast<const char*>(buffer.data()), *count);
    if (body.size() > service.options.body_bytes_max) {
      return std::unexpected(InvalidArgument(fmt::format(
          "Request payload size exceeds the limit: {} bytes.", service.options.body_bytes_max)));
    }
  }
}

std::string FormatJson(const Exchange& exchange, std::string compact) {
  const std::string pretty = exchange.Query("prettyPrint").value_or("true");
  if (pretty != "false" && pretty != "0") {
    // Numbers keep their digits: the shortest form of a float32, read as a double, is also the
    // shortest form of that double.
    compact = ParseOrderedJson(compact).dump(2);
  }
  return compact + '\n';
}

void SendAnswer(Service& service, Exchange& exchange, const ApiAnswer& answer) {
  if (answer.has_value()) {
    exchange.Respond(200, JsonHeaders(), FormatJson(exchange, *answer));
  } else {
    SendErrorBody(service, exchange, HttpStatus(answer.error().code), ErrorBody(answer.error()));
  }
}

std::optional<std::string> QueryField(const Exchange& exchange, std::string_view camel_name) {
  auto value = exchange.Query(camel_name);
  return value.has_value() ? value : exchange.Query(SnakeCase(camel_name));
}

std::expected<size_t, ApiError> PageSize(const Exchange& exchange, size_t fallback) {
  const auto wanted = QueryField(exchange, "pageSize");
  if (!wanted.has_value() || wanted->empty() || *wanted == "0") {
    return fallback;
  }
  const auto size = ParseNumber<int32_t>(*wanted);
  if (!size.has_value() || *size < 0) {
    return std::unexpected(InvalidArgument(fmt::format("Invalid page size: '{}'.", *wanted)));
  }
  return std::min(static_cast<size_t>(*size), kPageMax);
}

std::string PageToken(int64_t last_create_ns) {
  return fmt::format("{}{}==", kTokenMark, last_create_ns);
}

std::expected<int64_t, ApiError> PageStart(const Exchange& exchange) {
  const std::string token = QueryField(exchange, "pageToken").value_or("");
  if (token.empty()) {
    return std::numeric_limits<int64_t>::max();
  }
  std::optional<int64_t> start;
  if (token.starts_with(kTokenMark) && token.ends_with("==")) {
    start = ParseNumber<int64_t>(
        std::string_view(token).substr(kTokenMark.size(), token.size() - kTokenMark.size() - 2));
  }
  if (!start.has_value()) {
    return std::unexpected(InvalidArgument("Invalid page token."));
  }
  return *start;
}

}  // namespace sluice
