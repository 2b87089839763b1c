// What a command says and leaves behind when it has brought a run to its end.
#pragma once

#include "engine/run.h"
#include "io/base/clock.h"
#include "io/base/error.h"
#include "tools/cloud_files.h"
#include "tools/command_context.h"
#include "tools/run_command_options.h"

namespace sluice {

// Looks at the place of an output that is to be an object, before anything is paid for. Errors: as
// CloudFiles::ExpectPlace().
[[nodiscard]] Result<void> ExpectOutputPlace(const RunCommandOptions& options, CloudFiles& cloud);

// The output as an object when it is to be one, the copy of the report that was asked for, and the
// summary: on stdout as JSON, else on stderr.
[[nodiscard]] Result<void> EndRun(const CommandContext& context, const RunCommandOptions& options,
                                  const RunSummary& summary, CloudFiles& cloud, const Clock& clock);

}  // namespace sluice
