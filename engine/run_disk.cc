#include "engine/run_disk.h"

#include <fmt/format.h>

#include "engine/failures.h"
#include "engine/repack.h"
#include "io/base/checksum.h"
#include "io/shard/shard_file.h"

namespace sluice {

Result<StageSource> RunDisk::Requests(const ShardTrack& track, const ShardEntry& entry,
                                      std::stop_token stop) {
  const bool is_whole = track.round == 0;
  const std::string path = environment_.directory.shard(is_whole ? entry.file : track.request.name);
  SLUICE_TRY(CheckFile(path, is_whole ? entry.checksum : track.request.checksum, stop));
  FileSystem& files = environment_.files;
  return StageSource{.open = [&files, path] { return OpenShard(files, path); },
                     .size = is_whole ? entry.plain_bytes : track.request.plain_bytes};
}

Result<void> RunDisk::CheckFile(const std::string& path, const std::string& checksum,
                                const std::stop_token& stop) {
  SLUICE_ASSIGN(auto file, OfThisDisk(environment_.files.Open(path, OpenMode::kRead)));
  Checksum sum;
  std::vector<std::byte> buffer(size_t{1} << 18);
  while (true) {
    SLUICE_ASSIGN(const size_t count, file->Read(buffer));
    if (count == 0) {
      break;
    }
    if (stop.stop_requested()) {
      return Fail(ErrorCode::kUnfinished, "stopped while a shard was checked");
    }
    sum.Add(std::span(buffer).first(count));
  }
  if (sum.Hex() != checksum) {
    return Fail(ErrorCode::kInput,
                fmt::format("'{}' is not what was sealed: it changed on disk", path),
                "put it back, or start over with --fresh");
  }
  return {};
}

Result<Collected> RunDisk::Collect(const ShardTrack& track, const ShardEntry& entry, bool may_retry,
                                   std::stop_token stop) {
  return collector_.Collect(track, entry, may_retry, std::move(stop));
}

Result<Repacked> RunDisk::Repack(const ShardTrack& track, const ShardEntry& entry,
                                 std::stop_token stop) {
  const RunDirectory& directory = environment_.directory;
  const std::string shard_path = directory.shard(entry.file);
  SLUICE_TRY(CheckFile(shard_path, entry.checksum, stop));
  SLUICE_ASSIGN(const auto failures,
                OfThisDisk(ReadFailures(environment_.files,
                                        directory.shard_failures(track.shard, track.round))));
  const std::string name =
      RunDirectory::RequestFileName(track.shard, track.round + 1, zstd_level_.has_value());
  const RepackRequest request{.shard_path = shard_path,
                              .new_path = directory.shard(name),
                              .rows = RowsOfClasses(failures, track.retry_classes),
                              .key_offset = environment_.protocol.key_offset(),
                              .zstd_level = zstd_level_};
  SLUICE_CHECK(!request.rows.empty(), "a round that asks for nothing");
  SLUICE_ASSIGN(RequestFile file, sluice::Repack(environment_.files, request, stop));
  return Repacked{.request = std::move(file), .rows = request.rows.size()};
}

Result<void> RunDisk::DropRequests(const ShardTrack& track) {
  return track.round == 0
             ? Result<void>()
             : environment_.files.Remove(environment_.directory.shard(track.request.name));
}

}  // namespace sluice
