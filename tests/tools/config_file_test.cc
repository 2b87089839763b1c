#include "tools/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ConfigFile Parsed(std::string_view text) {
  auto file = ConfigFile::Parse(text, "f.toml");
  EXPECT_TRUE(file.has_value()) << file.error().message;
  return std::move(*file);
}

std::string Refused(std::string_view text) {
  const auto file = ConfigFile::Parse(text, "f.toml");
  EXPECT_FALSE(file.has_value()) << text;
  EXPECT_EQ(file.error().code, ErrorCode::kUsage);
  return file.error().message + " " + file.error().hint;
}

TEST(ConfigFile, TheNearestValueHolds) {
  const ConfigFile file = Parsed(
      "poll = '1s'\n"
      "threads = 1\n"
      "[run]\n"
      "poll = '2s'\n"
      "[profile.night]\n"
      "poll = '3s'\n"
      "[profile.night.run]\n"
      "poll = '4s'\n");
  const CommandSpec& run = *FindCommand("run");
  const CommandSpec& retry = *FindCommand("retry");
  const auto value = [&file](const CommandSpec& command, std::string_view profile) {
    return file.Find(command, "--poll", profile)->values.front();
  };
  EXPECT_EQ(value(run, ""), "2s");
  EXPECT_EQ(value(retry, ""), "1s");
  EXPECT_EQ(value(run, "night"), "4s");
  EXPECT_EQ(value(retry, "night"), "3s");
  EXPECT_EQ(value(run, "day"), "2s");
  EXPECT_EQ(file.Find(run, "--poll", "night")->line, 8U);
  EXPECT_EQ(file.Find(run, "--threads", "night")->values.front(), "1");
  EXPECT_EQ(file.Find(run, "--settle", "night"), nullptr);
  EXPECT_TRUE(file.HasProfile("night"));
  EXPECT_FALSE(file.HasProfile("day"));
}

TEST(ConfigFile, ReadsEveryKindOfOption) {
  const ConfigFile file = Parsed(
      "normalize = true\n"
      "keep-answers = false\n"
      "glob = ['*.md', '*.txt']\n"
      "exclude = 'x*'\n"
      "dim = 768\n"
      "on-unknown = \"ask\"\n"
      "[jobs.list]\n"
      "json = true\n");
  const CommandSpec& run = *FindCommand("run");
  EXPECT_THAT(file.Find(run, "--normalize", "")->values, ElementsAre(""));
  EXPECT_THAT(file.Find(run, "--keep-answers", "")->values, ElementsAre());
  EXPECT_THAT(file.Find(run, "--glob", "")->values, ElementsAre("*.md", "*.txt"));
  EXPECT_THAT(file.Find(run, "--exclude", "")->values, ElementsAre("x*"));
  EXPECT_THAT(file.Find(run, "--dim", "")->values, ElementsAre("768"));
  EXPECT_THAT(file.Find(run, "--on-unknown", "")->values, ElementsAre("ask"));
  EXPECT_NE(file.Find(*FindCommand("jobs list"), "--json", ""), nullptr);
  EXPECT_EQ(file.Find(run, "--json", ""), nullptr);
  EXPECT_NE(file.FindAnywhere("--json"), nullptr);
}

TEST(ConfigFile, SaysWhereAndWhatIsWrong) {
  EXPECT_THAT(Refused("\npol = '1s'\n"), HasSubstr("f.toml:2: 'pol' is no setting did you mean"));
  EXPECT_THAT(Refused("[run]\nclass = 'x'\n"),
              HasSubstr("f.toml:2: 'class' is no setting of 'run'"));
  EXPECT_THAT(Refused("[rum]\n"), HasSubstr("f.toml:1: no command is called 'rum'"));
  EXPECT_THAT(Refused("dim = 1.5\n"), HasSubstr("f.toml:1: dim: expected text"));
  EXPECT_THAT(Refused("normalize = 1\n"), HasSubstr("expected true or false"));
  EXPECT_THAT(Refused("glob = [['a']]\n"), HasSubstr("or a list of them"));
  EXPECT_THAT(Refused("dim = \n"), HasSubstr("f.toml:1:"));
  EXPECT_THAT(Refused("dim = 1\ndim = 2\n"), HasSubstr("f.toml:2:"));
  EXPECT_THAT(Refused("profile = 'x'\n"), HasSubstr("'profile' is no setting"));
  EXPECT_THAT(Refused("[profile]\nx = 1\n"), HasSubstr("'x' is no profile"));
  EXPECT_THAT(Refused("[profile.a.profile.b]\n"), HasSubstr("no command is called 'profile'"));
  EXPECT_THAT(Refused("model = '\xFF'\n"), HasSubstr("byte 9 is not valid UTF-8"));
  EXPECT_THAT(Refused("\"\\u001b[31m\" = 1\n"), HasSubstr("\\x1b[31m"));
  for (const char* text :
       {"[.r?osile]\n", "[?]\n", "[[.a]]\n", "[a.?]\n", ".a = 1\n", "a.? = 1\n"}) {
    EXPECT_THAT(Refused(text), HasSubstr("f.toml:")) << text;
  }
}

TEST(ConfigFile, WhatIsAboutOneInvocationIsNoSetting) {
  for (const char* name : {"output", "run", "report", "fresh", "yes", "dry-run", "against", "state",
                           "work", "config", "profile", "help", "version", "dump-man", "text",
                           "row", "delete-files", "export-json", "port-file"}) {
    EXPECT_THAT(Refused(std::string(name) + " = 'x'\n"), HasSubstr("is no setting")) << name;
  }
}

TEST(ConfigFile, DeepNestingIsRefused) { Refused("glob = " + std::string(100'000, '[')); }

}  // namespace
}  // namespace sluice
