#include "tools/completion.h"

#include <fmt/format.h>

#include "tools/service_client.h"

namespace sluice {

Result<int> CompletionCommand(const CommandContext& context) {
  SLUICE_ASSIGN(const std::string shell, RequirePositional(context.arguments));
  if (shell == "bash") {
    context.console.Print(BashCompletion());
  } else if (shell == "zsh") {
    context.console.Print(ZshCompletion());
  } else if (shell == "fish") {
    context.console.Print(FishCompletion());
  } else {
    return Fail(ErrorCode::kUsage, fmt::format("there are no completions for '{}'", shell),
                "bash, zsh, fish");
  }
  return 0;
}

ValueKind KindOfValue(std::string_view metavar) {
  if (metavar.find('|') != std::string_view::npos) {
    return ValueKind::kWords;
  }
  if (metavar == "DIR") {
    return ValueKind::kFolder;
  }
  for (const std::string_view file : {"FILE", "INPUT...", "SOURCE", "OUT.npy"}) {
    if (metavar == file) {
      return ValueKind::kFile;
    }
  }
  return ValueKind::kAnything;
}

bool TakesValue(const OptionSpec& option) {
  return option.kind != OptionKind::kFlag && option.kind != OptionKind::kCounted &&
         option.kind != OptionKind::kOptional;
}

}  // namespace sluice
