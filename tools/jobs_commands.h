// `sluice jobs ...`: the batch jobs of an account, one by one. Each command is one call of the
// library's Batches, shown.
#pragma once

#include "io/base/error.h"
#include "tools/command_context.h"

namespace sluice {

[[nodiscard]] Result<int> JobsCreateCommand(const CommandContext& context);
[[nodiscard]] Result<int> JobsCreateEmbeddingsCommand(const CommandContext& context);
[[nodiscard]] Result<int> JobsGetCommand(const CommandContext& context);
[[nodiscard]] Result<int> JobsListCommand(const CommandContext& context);
[[nodiscard]] Result<int> JobsWaitCommand(const CommandContext& context);
[[nodiscard]] Result<int> JobsCancelCommand(const CommandContext& context);
[[nodiscard]] Result<int> JobsDeleteCommand(const CommandContext& context);
[[nodiscard]] Result<int> JobsResponsesCommand(const CommandContext& context);

}  // namespace sluice
