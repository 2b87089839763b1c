#include "api/protocol/row_status.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/http/json_depth.h"
#include "api/http/json_fields.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr int kStatusDepthMax = 256;

// What is longer says something, if only in blanks.
constexpr size_t kEmptyErrorBytesMax = 256;

// What stands in front of an error object, or alone. Words of google.rpc may stand anywhere.
constexpr std::pair<std::string_view, int> kPhrases[] = {
    {"Bad Request", 400},       {"Unauthorized", 401},
    {"Forbidden", 403},         {"Not Found", 404},
    {"Request Timeout", 408},   {"Too Many Requests", 429},
    {"Client Closed", 499},     {"Internal Server", 500},
    {"Bad Gateway", 502},       {"Service Unavailable", 503},
    {"Gateway Timeout", 504},   {"DEADLINE_EXCEEDED", 4},
    {"RESOURCE_EXHAUSTED", 8},  {"UNAVAILABLE", 14},
    {"INVALID_ARGUMENT", 3},    {"PERMISSION_DENIED", 7},
    {"FAILED_PRECONDITION", 9}, {"NOT_FOUND", 5},
    {"CANCELLED", 1},           {"INTERNAL", 13},
};

// null, "", 0, and what holds nothing else.
bool IsNothing(const Json& value) {
  if (value.is_string()) {
    return value.get_ref<const std::string&>().empty();
  }
  return value.is_structured() ? std::ranges::all_of(value, IsNothing)
                               : value.is_null() || value == Json(0);
}

int CodeOfPhrase(std::string_view text) {
  for (const auto& [phrase, code] : kPhrases) {
    if (text.find(phrase) != std::string_view::npos) {
      return code;
    }
  }
  return 0;
}

RowStatus ReadObject(const Json& error) {
  const int64_t code = IntegerMember(error, "code").value_or(0);
  RowStatus status{.code = code >= 0 && code < 1000 ? static_cast<int>(code) : 0,
                   .message = TextMember(error, "message")};
  if (status.code == 0) {
    status.code = CodeOfPhrase(TextMember(error, "status"));
  }
  if (const Json* details = FindMember(error, "details")) {
    status.details = details->dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  return status;
}

RowStatus ReadText(const std::string& text) {
  const std::string json = text.substr(std::min(text.find('{'), text.size()));
  RowStatus status;
  if (!json.empty() && !NestsDeeperThan(json, kStatusDepthMax)) {
    const Json parsed = ParseJson(json);
    const Json* inner = FindMember(parsed, "error");
    status = ReadObject(inner == nullptr ? parsed : *inner);
  }
  status.code = status.code == 0 ? CodeOfPhrase(text) : status.code;
  status.message = status.message.empty() ? text : status.message;
  return status;
}

}  // namespace

std::string BoundedMessage(std::string text) {
  if (text.size() <= kRowMessageBytesMax) {
    return text;
  }
  size_t size = kRowMessageBytesMax;
  const auto goes_on = [&](size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
  };
  while (size > 0 && goes_on(size)) {
    --size;
  }
  return text.substr(0, size) + " ... (cut)";  // a text of its own: the long one's room is freed
}

bool IsNoFailure(std::string_view token) {
  if (token.empty() || token == "null" || token == "\"\"") {
    return true;
  }
  return token.starts_with('{') && token.size() <= kEmptyErrorBytesMax &&
         IsNothing(ParseJson(token));
}

RowStatus ParseRowStatus(std::string_view token) {
  const Json parsed = ParseJson(token);
  RowStatus status =
      parsed.is_string() ? ReadText(parsed.get_ref<const std::string&>()) : ReadObject(parsed);
  if (status.message.empty()) {
    status.message = parsed.is_object()
                         ? fmt::format("the service failed it with code {}", status.code)
                         : "the service failed it without saying why";
  }
  return status;
}

}  // namespace sluice
