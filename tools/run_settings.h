// RunSettings: what `sluice run` shall do, read from its arguments. Pure but for the files that a
// flag names (--template and the like).
#pragma once

#include <chrono>
#include <string>

#include "engine/run.h"
#include "io/base/error.h"
#include "io/file/file_system.h"
#include "tools/arguments.h"
#include "tools/progress_display.h"

namespace sluice {

// What stands behind a run's provider.
enum class Backend { kGemini, kLocal };
[[nodiscard]] Backend ReadBackend(const Arguments& arguments, std::string_view fallback);
[[nodiscard]] std::string_view BackendName(Backend backend);

struct RunSettings {
  RunOptions run;
  Backend backend = Backend::kGemini;
  std::string base_url;     // empty: the service's own
  std::string api_version;  // empty: the usual one
  std::string api_key_file;
  std::string report_copy;  // empty: none
  ProgressMode progress = ProgressMode::kPlain;
  std::chrono::milliseconds progress_interval{30'000};
};

// Errors: kUsage naming the flag, kIo for a file that cannot be read.
[[nodiscard]] Result<RunSettings> ReadRunSettings(const Arguments& arguments, FileSystem& files,
                                                  bool stderr_is_terminal);

}  // namespace sluice
