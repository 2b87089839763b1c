#include "tools/file_selection.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using namespace std::chrono_literals;

// 2026-11-22T13:00:00Z.
const WallTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + 13h;

RemoteFile MadeAt(std::string time) {
  RemoteFile file;
  file.name = "files/abc";
  file.source = "UPLOADED";
  file.create_time = std::move(time);
  return file;
}

FileSelection Select(std::map<std::string, std::vector<std::string>, std::less<>> flags) {
  Arguments arguments;
  arguments.values = std::move(flags);
  return FileSelection::Read(arguments, kNow).value();
}

TEST(FileSelection, WithoutFlagsTakesAll) {
  const FileSelection all = Select({});
  EXPECT_TRUE(all.takes_all());
  EXPECT_TRUE(all.Accepts(MadeAt("")));
}

TEST(FileSelection, OldIsWhatWasMadeThatLongAgo) {
  const FileSelection old = Select({{"--older-than", {"36h"}}});
  EXPECT_FALSE(old.takes_all());
  EXPECT_TRUE(old.Accepts(MadeAt("2026-11-21T01:00:00Z")));
  EXPECT_FALSE(old.Accepts(MadeAt("2026-11-21T01:00:01.5Z")));
}

TEST(FileSelection, WhatDoesNotSayWhenItWasMadeIsNeverOld) {
  const FileSelection old = Select({{"--older-than", {"0s"}}});
  EXPECT_FALSE(old.Accepts(MadeAt("")));
  EXPECT_FALSE(old.Accepts(MadeAt("yesterday")));
}

TEST(FileSelection, OrphansAreAnHourOldUnlessSaidOtherwise) {
  EXPECT_FALSE(Select({{"--orphans", {""}}}).Accepts(MadeAt("2026-11-22T12:00:01Z")));
  EXPECT_TRUE(Select({{"--orphans", {""}}}).Accepts(MadeAt("2026-11-22T12:00:00Z")));
  const FileSelection at_once = Select({{"--orphans", {""}}, {"--older-than", {"0s"}}});
  EXPECT_TRUE(at_once.Accepts(MadeAt("2026-11-22T12:59:59Z")));
}

TEST(FileSelection, AResultFileIsNoOrphan) {
  const FileSelection orphans = Select({{"--orphans", {""}}});
  RemoteFile generated = MadeAt("2026-11-20T00:00:00Z");
  EXPECT_TRUE(orphans.Accepts(generated));
  generated.source = "GENERATED";
  EXPECT_FALSE(orphans.Accepts(generated));
  // A service that does not say where a file came from still has ids too long to be deleted.
  RemoteFile long_name = MadeAt("2026-11-20T00:00:00Z");
  long_name.source = "";
  long_name.name = "files/" + std::string(40, 'a');
  EXPECT_TRUE(orphans.Accepts(long_name));
  long_name.name += 'a';
  EXPECT_FALSE(orphans.Accepts(long_name));
}

}  // namespace
}  // namespace sluice
