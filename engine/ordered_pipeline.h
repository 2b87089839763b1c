// OrderedPipeline: the one shape of all heavy work here: a serial source, stations that work in
// parallel or in input order, and the same number of items out as in.
//
// Memory is bounded: there are never more items than workers, even when the first one is slow; the
// next is read when one has left. More of them would keep a worker from waiting for its turn now
// and then, and cost 4 % of all processor time: their memory does not stay in the caches. No item
// is ever dropped: after a failure the remaining items pass through untouched and the first error
// comes back. This file's .cc is the only place that includes oneTBB.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

#include "io/base/error.h"

namespace sluice {

// What travels. A derived class holds the block and everything made from it.
class PipelineItem {
 public:
  virtual ~PipelineItem() = default;
};

struct Station {
  enum class Order { kParallel, kInOrder };
  Order order = Order::kParallel;
  // Called with each item once; in-order stations one at a time and in source order. Must not wait
  // for the network or hold locks for long.
  std::function<Result<void>(PipelineItem&)> work;
};

// `next` gives the next item, or null at the end, and is called by one thread at a time. An item
// that left the last station is given back through `recycle`, in any order, to be used again.
struct PipelineSource {
  std::function<Result<std::unique_ptr<PipelineItem>>()> next;
  std::function<void(std::unique_ptr<PipelineItem>)> recycle;
};

// Runs until the source ends, a station or the source fails, or a stop is requested (kUnfinished).
// Exceptions of stations and of the source come back as errors: kIo when memory or threads ran out,
// kInternal for all others.
[[nodiscard]] Result<void> RunOrderedPipeline(size_t workers, const PipelineSource& source,
                                              const std::vector<Station>& stations,
                                              std::stop_token stop);

}  // namespace sluice
