// ItemPool: pipeline items that are used again, so that their buffers are. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "engine/ordered_pipeline.h"

namespace sluice {

template <typename Item>
class ItemPool {
 public:
  [[nodiscard]] std::unique_ptr<PipelineItem> Take() {
    const std::scoped_lock lock(mutex_);
    if (idle_.empty()) {
      return std::make_unique<Item>();
    }
    std::unique_ptr<PipelineItem> item = std::move(idle_.back());
    idle_.pop_back();
    return item;
  }

  void Put(std::unique_ptr<PipelineItem> item) {
    const std::scoped_lock lock(mutex_);
    idle_.push_back(std::move(item));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<PipelineItem>> idle_;
};

}  // namespace sluice
