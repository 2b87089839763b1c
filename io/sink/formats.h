// The sinks that MakeSink() can choose from: one line here and one file for each format.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "io/sink/sink.h"

namespace sluice {

[[nodiscard]] std::unique_ptr<Sink> MakeNpySink(FileSystem& files, SinkOptions options);
[[nodiscard]] std::unique_ptr<Sink> MakeJsonlSink(FileSystem& files, SinkOptions options);

// Walks the ids file of a run, leaves failed rows out when asked to and numbers the others anew.
// Gives every kept line to `take` (without LF). Shared by all formats, so that rows and ids can
// never part.
[[nodiscard]] Result<uint64_t> ForEachOutputRow(
    FileSystem& files, const CloseRequest& request,
    const std::function<Result<void>(Ordinal row, std::string_view ids_line)>& take);

}  // namespace sluice
