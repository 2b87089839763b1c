// ResourcePool: costly scratch objects (zstd contexts, parsers, buffers) that are leased and come
// back by themselves. Holds as many objects as were ever in use at once, never more. Thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace sluice {

template <typename T>
class ResourcePool {
 public:
  explicit ResourcePool(std::function<std::unique_ptr<T>()> make) : make_(std::move(make)) {}

  struct Return {
    ResourcePool* pool = nullptr;
    void operator()(T* object) const { pool->Put(std::unique_ptr<T>(object)); }
  };
  // Must not outlive the pool.
  using Lease = std::unique_ptr<T, Return>;

  [[nodiscard]] Lease Take() {
    {
      const std::scoped_lock lock(mutex_);
      if (!idle_.empty()) {
        std::unique_ptr<T> object = std::move(idle_.back());
        idle_.pop_back();
        return Lease(object.release(), Return{this});
      }
      idle_.reserve(++made_);
    }
    return Lease(make_().release(), Return{this});
  }

 private:
  // Finds its place made, because it runs where nothing may fail.
  void Put(std::unique_ptr<T> object) noexcept {
    const std::scoped_lock lock(mutex_);
    idle_.push_back(std::move(object));
  }

  std::function<std::unique_ptr<T>()> make_;
  std::mutex mutex_;
  size_t made_ = 0;
  std::vector<std::unique_ptr<T>> idle_;
};

}  // namespace sluice
