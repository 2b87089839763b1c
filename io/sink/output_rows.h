// The rows of an output as its ids file names them. Shared by all formats, so that rows and ids can
// never part.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "io/base/error.h"
#include "io/file/file_system.h"
#include "io/record/ordinal.h"
#include "io/sink/sink.h"

namespace sluice {

// Walks the ids file of a run, leaves failed rows out when asked to and numbers the others anew.
// Gives every kept line to `take` (without LF). Returns how many there were. Errors: kInput for an
// ids file that is damaged; those of `take`.
[[nodiscard]] Result<uint64_t> ForEachOutputRow(
    FileSystem& files, const CloseRequest& request,
    const std::function<Result<void>(Ordinal row, std::string_view ids_line)>& take);

}  // namespace sluice
