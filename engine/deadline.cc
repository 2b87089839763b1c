#include "engine/deadline.h"

#include <fmt/format.h>

namespace sluice {

Result<void> Deadline::Explain(const Result<void>& result, const std::string& open) const {
  if (result.has_value() || result.error().code != ErrorCode::kUnfinished || !has_come_) {
    return result;
  }
  return Fail(
      ErrorCode::kUnfinished,
      fmt::format("the --deadline has come, and {}; remote jobs keep running and nothing is lost",
                  open),
      "the same command goes on");
}

}  // namespace sluice
