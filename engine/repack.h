// Repack: the request lines of some rows of a sealed shard as a file of their own, to be sent
// again.
#pragma once

#include <optional>
#include <stop_token>
#include <vector>

#include "engine/shard_track.h"
#include "io/base/error.h"
#include "io/file/file_system.h"
#include "io/record/ordinal.h"

namespace sluice {

struct RepackRequest {
  std::string shard_path;         // the whole shard, verified
  std::string new_path;           // whose name is that of the RequestFile
  std::vector<Ordinal> rows;      // sorted, all in the shard
  size_t key_offset = 0;          // in each line
  std::optional<int> zstd_level;  // nothing: plain lines
};

// Takes the lines as they stand, byte for byte, in their order; the file is whole and durable when
// it returns, and the same every time. Errors: kIo, also when the shard lacks a row; kUnfinished.
[[nodiscard]] Result<RequestFile> Repack(FileSystem& files, const RepackRequest& request,
                                         const std::stop_token& stop);

}  // namespace sluice
