// One call for each of several things at the service.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/error.h"
#include "tools/command_context.h"

namespace sluice {

struct NamedAction {
  std::string_view verb;     // "delete"
  std::string_view past;     // "deleted"; the type of the JSON document
  std::string_view warning;  // what is lost, for the question
  std::function<Result<void>(const std::string& name)> call;
};

// Asks first (see Confirm()), unless --dry-run only says what would be done. A name that fails does
// not keep the others from being tried: its error is printed, and the first one's exit code is the
// result. Prints the names that it is done for.
[[nodiscard]] Result<int> ForEachName(const CommandContext& context,
                                      const std::vector<std::string>& names,
                                      const NamedAction& action);

// The same for the names on the command line. Errors: kUsage when there is none.
[[nodiscard]] Result<int> ForEachPositional(const CommandContext& context,
                                            const NamedAction& action);

}  // namespace sluice
