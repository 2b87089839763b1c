// TransferProgress: how far an upload or a download is, on stderr: one line that is drawn again on
// a terminal, a plain or JSON line at an interval elsewhere. One thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "io/base/clock.h"
#include "tools/output.h"

namespace sluice {

class TransferProgress {
 public:
  // `word`: "uploaded", "downloaded". `console` and `clock` must outlive it. `total` 0: not known.
  TransferProgress(const Console& console, Clock& clock, std::string_view word, uint64_t total)
      : console_(console),
        clock_(clock),
        word_(word),
        total_(total),
        draws_(console.err.is_terminal && !console.json),
        next_(clock.Now() + pause()) {}
  // Takes the line off the terminal.
  ~TransferProgress();
  TransferProgress(const TransferProgress&) = delete;
  TransferProgress& operator=(const TransferProgress&) = delete;

  void Show(uint64_t bytes);

 private:
  [[nodiscard]] std::string Line(uint64_t bytes) const;
  [[nodiscard]] std::chrono::milliseconds pause() const;

  const Console& console_;
  Clock& clock_;
  const std::string_view word_;
  const uint64_t total_;
  const bool draws_;  // else it writes lines
  MonotonicTime next_;
  bool drawn_ = false;
};

}  // namespace sluice
