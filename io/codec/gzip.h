// gzip, the only place that knows it (ISA-L). Several joined members decode as one stream.
#pragma once

#include <memory>
#include <string>

#include "io/codec/byte_source.h"

namespace sluice {

// `name` stands in messages. A cut member, a wrong checksum or bytes after the last member are an
// Error.
[[nodiscard]] std::unique_ptr<ByteSource> MakeGzipSource(std::unique_ptr<ByteSource> compressed,
                                                         std::string name);

}  // namespace sluice
