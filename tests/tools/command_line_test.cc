#include "tools/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/output.h"
#include "tools/words.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Result<Arguments> Parse(const std::vector<std::string>& words) { return ParseCommandLine(words); }

std::string ErrorOf(const std::vector<std::string>& words) {
  const auto arguments = Parse(words);
  if (arguments.has_value()) {
    return "no error";
  }
  EXPECT_EQ(arguments.error().code, ErrorCode::kUsage);
  return FormatError(arguments.error(), false);
}

TEST(CommandLine, ReadsInputsFlagsAndValuesInEverySpelling) {
  const auto arguments =
      Parse({"run", "a.jsonl", "--dim=256", "b.jsonl", "-o", "out.npy", "-bgemini", "--glob",
             "*.md", "--glob", "*.txt", "-", "-q", "--json"});
  ASSERT_TRUE(arguments.has_value()) << arguments.error().message;
  EXPECT_EQ(arguments->command->name, "run");
  EXPECT_THAT(arguments->positionals, ElementsAre("a.jsonl", "b.jsonl", "-"));
  EXPECT_EQ(arguments->Text("--dim"), "256");
  EXPECT_EQ(arguments->Text("--output"), "out.npy");
  EXPECT_EQ(arguments->Text("--backend"), "gemini");
  EXPECT_THAT(arguments->List("--glob"), ElementsAre("*.md", "*.txt"));
  EXPECT_TRUE(arguments->Has("--quiet"));
  EXPECT_TRUE(arguments->Has("--json"));
  EXPECT_FALSE(arguments->Has("--normalize"));
}

TEST(CommandLine, TheLastOfARepeatedValueHolds) {
  const auto arguments = Parse({"run", "x", "--dim", "1", "--dim", "2"});
  ASSERT_TRUE(arguments.has_value());
  EXPECT_EQ(arguments->Text("--dim"), "2");
}

TEST(CommandLine, AnInputMayBeNamedLikeACommandOrAfterDoubleDash) {
  const auto arguments = Parse({"run", "status", "--", "--dim"});
  ASSERT_TRUE(arguments.has_value()) << arguments.error().message;
  EXPECT_EQ(arguments->command->name, "run");
  EXPECT_THAT(arguments->positionals, ElementsAre("status", "--dim"));
}

TEST(CommandLine, CommonFlagsMayStandBeforeTheCommand) {
  const auto arguments = Parse({"--json", "status"});
  ASSERT_TRUE(arguments.has_value());
  EXPECT_EQ(arguments->command->name, "status");
  EXPECT_TRUE(arguments->Has("--json"));
}

TEST(CommandLine, AWatchTakesAPauseOrNone) {
  EXPECT_EQ(Parse({"status", "--watch"})->Text("--watch"), "");
  EXPECT_EQ(Parse({"status", "--watch=5s"})->Text("--watch"), "5s");
  EXPECT_FALSE(Parse({"status"})->Has("--watch"));
}

TEST(CommandLine, NamesTheNearestCommand) {
  EXPECT_EQ(ErrorOf({"rnu", "docs/"}), "error: unknown command 'rnu'. Did you mean 'run'?\n");
  EXPECT_EQ(ErrorOf({"neighbours", "x.npy"}),
            "error: unknown command 'neighbours'. Did you mean 'neighbors'?\n");
}

TEST(CommandLine, NamesTheNearestFlag) {
  EXPECT_EQ(ErrorOf({"run", "docs/", "--modle", "gemini-embedding-001"}),
            "error: unknown flag '--modle' for 'run'. Did you mean '--model'?\n");
  EXPECT_EQ(ErrorOf({"run", "docs/", "--modle=x"}),
            "error: unknown flag '--modle' for 'run'. Did you mean '--model'?\n");
}

TEST(CommandLine, SuggestsNothingWhereNothingIsNear) {
  EXPECT_EQ(ErrorOf({"frobnicate"}),
            "error: unknown command 'frobnicate'\nhint:  see sluice --help   (exit 2)\n");
  EXPECT_EQ(ErrorOf({"run", "x", "--frobnicate"}),
            "error: unknown flag '--frobnicate' for 'run'\n"
            "hint:  see sluice run --help   (exit 2)\n");
}

TEST(CommandLine, ANounHasVerbs) {
  const auto arguments =
      Parse({"--json", "jobs", "--color=never", "get", "list", "--auth", "gemini"});
  ASSERT_TRUE(arguments.has_value()) << arguments.error().message;
  EXPECT_EQ(arguments->command->name, "jobs get");
  EXPECT_THAT(arguments->positionals, ElementsAre("list"));
  EXPECT_TRUE(arguments->Has("--json"));
  EXPECT_EQ(arguments->Text("--color"), "never");
  EXPECT_EQ(arguments->Text("--auth"), "gemini");
  EXPECT_EQ(Parse({"jobs"})->command->name, "jobs");
}

TEST(CommandLine, NamesTheNearestVerb) {
  EXPECT_EQ(ErrorOf({"jobs", "lits"}),
            "error: unknown command 'jobs lits'. Did you mean 'jobs list'?\n");
  EXPECT_EQ(ErrorOf({"files", "run"}),
            "error: unknown command 'files run'\nhint:  see sluice files --help   (exit 2)\n");
  EXPECT_EQ(ErrorOf({"files", "list", "--orphan"}),
            "error: unknown flag '--orphan' for 'files list'. Did you mean '--orphans'?\n");
}

TEST(CommandLine, AHiddenFlagIsNeverSuggested) {
  EXPECT_TRUE(Parse({"--dump-man"})->Has("--dump-man"));
  EXPECT_THAT(ErrorOf({"--dump-mna"}), Not(HasSubstr("dump-man'")));
}

TEST(CommandLine, RefusesTooManyArguments) {
  EXPECT_THAT(ErrorOf({"status", "x"}), HasSubstr("unexpected argument 'x' for 'status'"));
  EXPECT_THAT(ErrorOf({"neighbors", "a.npy", "b.npy"}), HasSubstr("unexpected argument 'b.npy'"));
}

TEST(CommandLine, RefusesAFlagWithoutItsValue) {
  EXPECT_EQ(ErrorOf({"run", "x", "--dim"}), "error: flag '--dim' needs a value\n");
}

TEST(CommandLine, ShowsHostileWordsHarmlessly) {
  EXPECT_THAT(ErrorOf({"\x1b[2J"}), HasSubstr("unknown command '\\x1b[2J'"));
}

TEST(Arguments, AChoiceMustBeOneOfItsWords) {
  const auto good = Parse({"run", "x", "--on-error", "skip"});
  EXPECT_TRUE(CheckChoices(*good).has_value());
  const auto bad = Parse({"run", "x", "--on-error", "skpi"});
  const auto checked = CheckChoices(*bad);
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().message, "--on-error: 'skpi' is none of fail, skip, nan");
}

TEST(Arguments, AFlagWinsOverItsVariable) {
  ASSERT_EQ(setenv("SLUICE_THREADS", "3", 1), 0);
  auto silent = Parse({"run", "x"});
  ReadEnvironment(*silent);
  EXPECT_EQ(silent->Text("--threads"), "3");
  auto spoken = Parse({"run", "x", "--threads", "5"});
  ReadEnvironment(*spoken);
  EXPECT_EQ(spoken->Text("--threads"), "5");
  ASSERT_EQ(setenv("SLUICE_THREADS", "", 1), 0);
  auto empty = Parse({"run", "x"});
  ReadEnvironment(*empty);
  EXPECT_FALSE(empty->Has("--threads"));
  unsetenv("SLUICE_THREADS");
}

TEST(Arguments, QuotesForAShellOnlyWhatNeedsIt) {
  EXPECT_EQ(QuoteForShell("docs/a.jsonl"), "docs/a.jsonl");
  EXPECT_EQ(QuoteForShell("*.md"), "'*.md'");
  EXPECT_EQ(QuoteForShell("it's"), "'it'\\''s'");
  EXPECT_EQ(QuoteForShell(""), "''");
}

TEST(OptionTable, EveryFlagOfACommandHasANameOfItsOwn) {
  for (const CommandSpec& command : Commands()) {
    std::vector<std::string_view> names;
    for (const OptionSpec* option : AllOptions(&command)) {
      for (const std::string_view name : SplitText(option->names, ',')) {
        EXPECT_THAT(names, Not(testing::Contains(name))) << command.name;
        names.push_back(name);
      }
    }
  }
}

TEST(OptionTable, VerbsStandBehindTheirNoun) {
  const CommandSpec* jobs = FindCommand("jobs");
  ASSERT_NE(jobs, nullptr);
  ASSERT_FALSE(VerbsOf(*jobs).empty());
  for (const CommandSpec& verb : VerbsOf(*jobs)) {
    EXPECT_TRUE(verb.name.starts_with("jobs ")) << verb.name;
  }
  EXPECT_TRUE(VerbsOf(*FindCommand("run")).empty());
  EXPECT_TRUE(VerbsOf(*FindCommand("jobs list")).empty());
  size_t below = CommandsBelow(nullptr).size();
  for (const CommandSpec* command : CommandsBelow(nullptr)) {
    below += VerbsOf(*command).size();
  }
  EXPECT_EQ(below, Commands().size());
}

TEST(OptionTable, TheNearestWordIsAtMostTwoEditsAway) {
  constexpr std::string_view kWords[] = {"run", "status", "neighbors"};
  EXPECT_EQ(NearestWord("rn", kWords), "run");
  EXPECT_EQ(NearestWord("statsu", kWords), "status");
  EXPECT_EQ(NearestWord("stxxxs", kWords), "");
  EXPECT_EQ(NearestWord("", kWords), "");
  EXPECT_EQ(NearestWord("x", kWords), "");
}

TEST(Output, ErrorsSayWhatToDoAndTheExitCode) {
  EXPECT_EQ(
      FormatError({.code = ErrorCode::kAuth, .message = "no API key", .hint = "one\ntwo"}, false),
      "error: no API key\nhint:  one\n       two   (exit 4)\n");
  EXPECT_EQ(FormatError({.code = ErrorCode::kIo, .message = "disk\x1b full"}, false),
            "error: disk\\x1b full   (exit 75)\n");
}

TEST(Output, ErrorsForMachinesAreOneLine) {
  EXPECT_EQ(
      FormatErrorAsJson({.code = ErrorCode::kInput, .message = "a \"b\"\nc", .hint = "mend it"}),
      "{\"v\":1,\"type\":\"error\",\"code\":7,\"class\":\"input\","
      "\"message\":\"a \\\"b\\\"\\nc\",\"hint\":\"mend it\"}\n");
}

}  // namespace
}  // namespace sluice
