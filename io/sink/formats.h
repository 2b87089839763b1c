// The sinks that MakeSink() can choose from: one line here and one file for each format.
#pragma once

#include <memory>

#include "io/sink/sink.h"

namespace sluice {

[[nodiscard]] std::unique_ptr<Sink> MakeNpySink(FileSystem& files, SinkOptions options);
[[nodiscard]] std::unique_ptr<Sink> MakeJsonlSink(FileSystem& files, SinkOptions options);

}  // namespace sluice
