// An upload with its progress on stderr.
#pragma once

#include "api/client.h"
#include "io/base/error.h"
#include "tools/command_context.h"

namespace sluice {

// Returns once the service has the file ready. Sets `options.progress`. Errors: those of
// Files::Upload() and Files::WaitActive().
[[nodiscard]] Result<UploadedFile> UploadShown(const CommandContext& context, Client& client,
                                               const StageSource& source, UploadOptions options);

}  // namespace sluice
