#include "tools/child_process.h"

#include <gtest/gtest.h>
#include <thread>

#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

ChildProcess Shell(const std::string& script) {
  return {.words = {"/bin/sh", "-c", script}, .environment = {}, .keep_output = true};
}

TEST(ChildProcess, GivesOutputAndExitCode) {
  const auto ended = RunChild(Shell("echo out; cat; exit 3"), {});
  ASSERT_TRUE(ended.has_value()) << ended.error().message;
  EXPECT_EQ(ended->output, "out\n");
  EXPECT_EQ(ended->exit_code, 3);
  EXPECT_EQ(RunChild(Shell("kill -9 $$"), {}).value().exit_code, 128 + 9);
}

TEST(ChildProcess, HasWhatIsAddedToTheEnvironment) {
  ChildProcess child = Shell("echo $SLUICE_BENCH_INPUT $HOME");
  child.environment = {"SLUICE_BENCH_INPUT=in", "HOME=nowhere"};
  EXPECT_EQ(RunChild(child, {}).value().output, "in nowhere\n");
}

TEST(ChildProcess, CountsTheTimeOfAllThatItStarted) {
  const auto ended =
      RunChild(Shell("sh -c 'i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done'"), {});
  EXPECT_GT(ended.value().cpu_seconds, 0.001);
  EXPECT_GE(ended->seconds, 0.001);
}

TEST(ChildProcess, AStopKillsItAndAllThatItStarted) {
  const TempFolder folder;
  std::stop_source stop;
  // The stop comes when the grandchild is there. The pipe of the output ends with it.
  std::jthread stopper([&] {
    while (TempFolder::Read(folder.Path("there")).empty()) {
      std::this_thread::yield();
    }
    stop.request_stop();
  });
  const auto ended = RunChild(
      Shell("sh -c 'echo yes > " + folder.Path("there") + "; sleep 1000'; echo"), stop.get_token());
  ASSERT_FALSE(ended.has_value());
  EXPECT_EQ(ended.error().code, ErrorCode::kUnfinished);
}

TEST(ChildProcess, AProgramThatIsNotThereIsAnError) {
  EXPECT_EQ(RunChild({.words = {"/nowhere/program"}, .environment = {}}, {}).error().code,
            ErrorCode::kIo);
}

}  // namespace
}  // namespace sluice
