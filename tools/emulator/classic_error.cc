#include "tools/emulator/classic_error.h"

#include <nlohmann/json.hpp>

namespace sluice {

std::string ClassicErrorBody(const ClassicError& error) {
  using OrderedJson = nlohmann::ordered_json;
  const OrderedJson body = {{"error",
                             {{"code", error.status},
                              {"message", error.message},
                              {"errors", OrderedJson::array({{{"message", error.message},
                                                              {"domain", "global"},
                                                              {"reason", error.reason}}})}}}};
  // What a client sent may stand in a message, and need not be valid UTF-8.
  return body.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

ClassicError ClassicInvalid(std::string message) {
  return {.status = 400, .reason = "invalid", .message = std::move(message)};
}

ClassicError ClassicNotFound(std::string message) {
  return {.status = 404, .reason = "notFound", .message = std::move(message)};
}

ClassicError ClassicUnauthorized() {
  return {.status = 401, .reason = "authError", .message = "Invalid Credentials"};
}

}  // namespace sluice
