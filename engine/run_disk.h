// RunDisk: the disk side of tracking, in a run's folder. Thread-safe; one call at a time for each
// shard.
#pragma once

#include <optional>

#include "api/protocol/line_protocol.h"
#include "engine/answer_collector.h"
#include "engine/run_directory.h"
#include "engine/shard_disk.h"
#include "io/file/file_system.h"

namespace sluice {

struct RunDiskEnvironment {
  FileSystem& files;
  const LineProtocol& protocol;
  const RunDirectory& directory;
};

class RunDisk final : public ShardDisk {
 public:
  // `zstd_level`: of request files that are packed anew; nothing: they are not compressed.
  RunDisk(RunDiskEnvironment environment, AnswerCollector& collector, std::optional<int> zstd_level)
      : environment_(environment), collector_(collector), zstd_level_(zstd_level) {}

  [[nodiscard]] Result<StageSource> Requests(const ShardTrack& track, const ShardEntry& entry,
                                             std::stop_token stop) override;
  [[nodiscard]] Result<Collected> Collect(const ShardTrack& track, const ShardEntry& entry,
                                          bool may_retry, std::stop_token stop) override;
  [[nodiscard]] Result<Repacked> Repack(const ShardTrack& track, const ShardEntry& entry,
                                        std::stop_token stop) override;
  [[nodiscard]] Result<void> DropRequests(const ShardTrack& track) override;
  [[nodiscard]] int dimension() override { return collector_.dimension(); }

 private:
  [[nodiscard]] Result<void> CheckFile(const std::string& path, const std::string& checksum,
                                       const std::stop_token& stop);

  RunDiskEnvironment environment_;
  AnswerCollector& collector_;
  std::optional<int> zstd_level_;
};

}  // namespace sluice
