#include "tools/transfer_progress.h"

#include <fmt/format.h>

#include "tools/units.h"

namespace sluice {
namespace {

constexpr std::string_view kEraseLine = "\r\x1b[K";

}  // namespace

TransferProgress::~TransferProgress() {
  if (drawn_) {
    console_.Say(kEraseLine);
  }
}

void TransferProgress::Show(uint64_t bytes) {
  if (clock_.Now() < next_) {
    return;
  }
  next_ = clock_.Now() + pause();
  console_.Say(draws_ ? std::string(kEraseLine) + Line(bytes) : Line(bytes) + '\n');
  drawn_ = draws_;
}

std::chrono::milliseconds TransferProgress::pause() const {
  return std::chrono::milliseconds(draws_ ? 100 : 30'000);
}

std::string TransferProgress::Line(uint64_t bytes) const {
  const std::string now = FormatTime(clock_.WallNow());
  if (console_.json) {
    return fmt::format(R"({{"v":1,"type":"progress","time":"{}","bytes_{}":{},"bytes_total":{}}})",
                       now, word_, bytes, total_ == 0 ? "null" : std::to_string(total_));
  }
  const std::string of_total = total_ == 0 ? "" : fmt::format(" of {}", FormatBytes(total_));
  return fmt::format("{} {} {}{}", now, word_, FormatBytes(bytes), of_total);
}

}  // namespace sluice
