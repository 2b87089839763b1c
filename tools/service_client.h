// The library's Client as a command wants it: by its flags, else by the environment.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "api/client.h"
#include "io/base/error.h"
#include "tools/command_context.h"

namespace sluice {

// `mime_type`: what uploads say they are; empty: what the library tries by itself. Warns of a key
// file that others can read. Errors: those of MakeClient(); kUsage for a way to sign in that is not
// there.
[[nodiscard]] Result<std::unique_ptr<Client>> OpenClient(const CommandContext& context,
                                                         const std::string& mime_type = {});

// kUsage for an address in Cloud Storage or BigQuery (gs://, bq://) where a file here is meant.
[[nodiscard]] Result<void> RefuseCloudAddress(std::string_view address);

// The only positional. Errors: kUsage when it is missing.
[[nodiscard]] Result<std::string> RequirePositional(const Arguments& arguments);

}  // namespace sluice
