// `sluice files ...`: the files of an account, one by one. Each command is one call of the
// library's Files, shown.
#pragma once

#include "io/base/error.h"
#include "tools/command_context.h"

namespace sluice {

[[nodiscard]] Result<int> FilesUploadCommand(const CommandContext& context);
[[nodiscard]] Result<int> FilesGetCommand(const CommandContext& context);
[[nodiscard]] Result<int> FilesListCommand(const CommandContext& context);
[[nodiscard]] Result<int> FilesDeleteCommand(const CommandContext& context);
[[nodiscard]] Result<int> FilesDownloadCommand(const CommandContext& context);

}  // namespace sluice
