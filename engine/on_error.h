// OnError: what becomes of a run whose rows failed, and its names on command lines and in ledgers.
#pragma once

#include <string_view>

namespace sluice {

enum class OnError { kFail, kSkip, kNan };

[[nodiscard]] std::string_view OnErrorName(OnError on_error);  // "fail", "skip", "nan"
// kNan for any other name.
[[nodiscard]] OnError ParseOnError(std::string_view name);

}  // namespace sluice
