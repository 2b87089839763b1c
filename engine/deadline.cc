#include "engine/deadline.h"

namespace sluice {

Result<void> Deadline::Explain(const Result<void>& result) const {
  if (result.has_value() || result.error().code != ErrorCode::kUnfinished || !has_come_) {
    return result;
  }
  return Fail(ErrorCode::kUnfinished,
              "the --deadline has come; remote jobs keep running and nothing is lost",
              "the same command goes on");
}

}  // namespace sluice
