// IdleTries: how many tries in a row brought a transfer no further. What trickles more slowly than
// a stall is allowed to (kStallBytesPerSecond) counts as no further: a byte now and then would
// otherwise keep a transfer alive for ever. One thread at a time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "api/http/transport.h"
#include "io/base/clock.h"

namespace sluice {

class IdleTries {
 public:
  // `clock` must outlive the object.
  explicit IdleTries(const Clock& clock) : clock_(clock), begun_(clock.Now()) {}

  // At the start of each try; the waits between tries do not count.
  void Begin() { begun_ = clock_.Now(); }
  // At its end, with the place reached; gives the count, 0 when the try has moved something.
  int End(uint64_t position) {
    const std::chrono::duration<double> passed = clock_.Now() - begun_;
    const bool moved = position > best_ && static_cast<double>(position - best_) >=
                                               passed.count() * kStallBytesPerSecond;
    count_ = moved ? 0 : count_ + 1;
    best_ = std::max(best_, position);
    return count_;
  }

 private:
  const Clock& clock_;
  MonotonicTime begun_;
  uint64_t best_ = 0;
  int count_ = 0;
};

}  // namespace sluice
