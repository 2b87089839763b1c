// ShardSender: sends sealed shards to a server on this machine while packing goes on, over the
// transport that uploads use. One thread adds, one of its own sends.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "io/base/error.h"
#include "io/file/file_system.h"
#include "io/shard/manifest.h"

namespace sluice {

enum class ShardForm {
  kAsItStands,  // the compressed bytes
  kUnpacked,    // plain lines with their SHA-256, as the Gemini Developer API wants them
};

class ShardSender {
 public:
  // `url`: where each shard is put. `files` must outlive the sender.
  ShardSender(FileSystem& files, std::string url, ShardForm form);

  void Add(std::string path, const ShardEntry& entry);
  // Waits until all are sent. The first failure.
  [[nodiscard]] Result<void> Close();

 private:
  struct Job {
    std::string path;
    uint64_t size = 0;
  };
  void SendAll();
  [[nodiscard]] Result<void> SendOne(const Job& job) const;

  FileSystem& files_;
  std::string url_;
  ShardForm form_;
  std::mutex mutex_;  // guards the queue
  std::condition_variable wakeup_;
  std::deque<Job> queue_;
  bool ended_ = false;
  Result<void> result_;
  std::jthread thread_;  // last: it uses all above
};

}  // namespace sluice
