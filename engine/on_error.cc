#include "engine/on_error.h"

namespace sluice {

std::string_view OnErrorName(OnError on_error) {
  return on_error == OnError::kFail ? "fail" : on_error == OnError::kSkip ? "skip" : "nan";
}

OnError ParseOnError(std::string_view name) {
  return name == "fail" ? OnError::kFail : name == "skip" ? OnError::kSkip : OnError::kNan;
}

}  // namespace sluice
