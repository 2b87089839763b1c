#include <array>
#include <fmt/format.h>

#include "api/protocol/protocols.h"

namespace sluice {
namespace {

struct ProtocolEntry {
  std::string_view name;
  Result<std::unique_ptr<LineProtocol>> (*make)(const RequestOptions&);
};

constexpr std::array kProtocols = {
    ProtocolEntry{.name = "gemini", .make = MakeGeminiLines},
    ProtocolEntry{.name = "vertex", .make = MakeVertexLines},
};

}  // namespace

std::string_view FailureClassName(FailureClass failure_class) {
  switch (failure_class) {
    case FailureClass::kTransient:
      return "transient";
    case FailureClass::kQuota:
      return "quota";
    case FailureClass::kTooLong:
      return "too-long";
    case FailureClass::kBlocked:
      return "blocked";
    case FailureClass::kInvalid:
      return "invalid";
    case FailureClass::kMissing:
      return "missing";
    case FailureClass::kMalformed:
      return "malformed";
    case FailureClass::kCancelled:
      return "cancelled";
  }
  return "invalid";
}

Result<std::unique_ptr<LineProtocol>> MakeLineProtocol(std::string_view name,
                                                       const RequestOptions& options) {
  for (const ProtocolEntry& entry : kProtocols) {
    if (entry.name == name) {
      return entry.make(options);
    }
  }
  return Fail(ErrorCode::kUsage, fmt::format("no line protocol is called '{}'", name));
}

}  // namespace sluice
