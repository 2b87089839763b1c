#include "tools/transfer_progress.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "tests/support/manual_clock.h"

namespace sluice {
namespace {

using namespace std::chrono_literals;
using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

Console ConsoleOf(bool json, bool is_terminal) {
  Console console;
  console.json = json;
  console.err.is_terminal = is_terminal;
  return console;
}

// What is said of 5 and 40 of 100 MB, a minute apart.
std::string Shown(const Console& console) {
  ManualClock clock;
  CaptureStderr();
  {
    TransferProgress progress(console, clock, "uploaded", 100'000'000);
    progress.Show(5'000'000);
    clock.SleepUntil(clock.Now() + 60s, {});
    progress.Show(40'000'000);
    progress.Show(41'000'000);
  }
  return GetCapturedStderr();
}

TEST(TransferProgress, IsALineAtAnIntervalWhereNobodyLooks) {
  const std::string shown = Shown(ConsoleOf(false, false));
  EXPECT_TRUE(shown.ends_with("Z uploaded 40.0 MB of 100.0 MB\n")) << shown;
  EXPECT_EQ(std::ranges::count(shown, '\n'), 1);
  EXPECT_EQ(shown.find('\r'), std::string::npos);
}

TEST(TransferProgress, IsAJsonLineForPrograms) {
  const std::string shown = Shown(ConsoleOf(true, true));
  EXPECT_TRUE(shown.starts_with(R"({"v":1,"type":"progress","time":")")) << shown;
  EXPECT_TRUE(shown.ends_with("\"bytes_uploaded\":40000000,\"bytes_total\":100000000}\n")) << shown;
}

TEST(TransferProgress, IsDrawnAndTakenAwayOnATerminal) {
  const std::string shown = Shown(ConsoleOf(false, true));
  EXPECT_NE(shown.find("uploaded 40.0 MB of 100.0 MB"), std::string::npos) << shown;
  EXPECT_TRUE(shown.ends_with("\r\x1b[K"));
  EXPECT_EQ(shown.find('\n'), std::string::npos);
}

TEST(TransferProgress, IsSilentWhenAskedTo) {
  Console console = ConsoleOf(false, true);
  console.quiet = true;
  EXPECT_EQ(Shown(console), "");
}

}  // namespace
}  // namespace sluice
