#include "tools/each_name.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/confirm.h"
#include "tools/json_line.h"
#include "tools/service_client.h"

namespace sluice {
namespace {

using OrderedJson = nlohmann::ordered_json;

Result<void> ConfirmAction(const CommandContext& context, const std::vector<std::string>& names,
                           const NamedAction& action) {
  const std::string what =
      names.size() == 1 ? names.front() : fmt::format("{} of them", names.size());
  return Confirm(context, fmt::format("{} {}? {}", action.verb, what, action.warning),
                 {.code = ErrorCode::kUsage,
                  .message = fmt::format("{} {} needs a yes", action.verb, what),
                  .hint = "add -y if that is meant, -n to see what would be done"});
}

void PrintDone(const Console& console, const NamedAction& action,
               const std::vector<std::string>& names, bool dry_run) {
  if (console.json) {
    const OrderedJson document = {
        {"v", 1}, {"type", action.past}, {"dry_run", dry_run}, {"names", names}};
    console.Print(JsonLine(document, console.out));
    return;
  }
  for (const std::string& name : names) {
    console.Print(dry_run ? fmt::format("would {} {}\n", action.verb, EscapeControls(name))
                          : fmt::format("{} {}\n", action.past, EscapeControls(name)));
  }
}

}  // namespace

Result<int> ForEachName(const CommandContext& context, const std::vector<std::string>& names,
                        const NamedAction& action) {
  if (context.arguments.Has("--dry-run") || names.empty()) {
    PrintDone(context.console, action, names, context.arguments.Has("--dry-run"));
    return 0;
  }
  SLUICE_TRY(ConfirmAction(context, names, action));
  std::vector<std::string> done;
  int exit_code = 0;
  for (const std::string& name : names) {
    Result<void> result = action.call(name);
    if (result.has_value()) {
      done.push_back(name);
    } else if (result.error().code == ErrorCode::kUnfinished) {
      PrintDone(context.console, action, done, false);
      return std::unexpected(std::move(result).error());
    } else {
      context.console.PrintError(result.error());
      exit_code = exit_code == 0 ? ExitCode(result.error().code) : exit_code;
    }
  }
  PrintDone(context.console, action, done, false);
  return exit_code;
}

Result<int> ForEachPositional(const CommandContext& context, const NamedAction& action) {
  SLUICE_TRY(RequirePositional(context.arguments));
  return ForEachName(context, context.arguments.positionals, action);
}

}  // namespace sluice
