// What went wrong in a run, document by document: the rows that failed and the lines that were
// refused, from the files in its folder (docs/formats.md).
#pragma once

#include <string>

#include "io/base/error.h"
#include "io/file/file_system.h"
#include "tools/output.h"

namespace sluice {

// A line for each, the first hundred of either kind.
[[nodiscard]] Result<std::string> FormatRunErrors(FileSystem& files, const std::string& run_folder);
// {"failures":[...],"rejects":[...]} with all of them as they stand in the files, but for the raw
// bytes of the rejects. One by one: there may be as many as the corpus has lines.
[[nodiscard]] Result<void> PrintRunErrorsAsJson(FileSystem& files, const std::string& run_folder,
                                                const Console& console);

}  // namespace sluice
