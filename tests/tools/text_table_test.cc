#include "tools/text_table.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(TextTable, AlignsColumnsByCharacters) {
  TextTable table({{.heading = "NAME"},
                   {.heading = "N", .align = TextTable::Align::kRight},
                   {.heading = "NOTE"}});
  table.AddRow({"naïve", "7", ""});
  table.AddRow({"b", "1,204", "x"});
  EXPECT_EQ(table.Format(),
            "NAME       N  NOTE\n"
            "naïve      7  -\n"
            "b      1,204  x\n");
}

TEST(TextTable, AColumnWithoutHeadingMayStayEmpty) {
  TextTable table({{.heading = "NAME"}, {.heading = ""}});
  table.AddRow({"a", ""});
  table.AddRow({"b", "note"});
  EXPECT_EQ(table.Format(), "NAME\na\nb     note\n");
}

TEST(TextTable, IsEmptyWithoutRows) { EXPECT_EQ(TextTable({{.heading = "NAME"}}).Format(), ""); }

TEST(TextTable, ShowsHostileCellsHarmlessly) {
  TextTable table({{.heading = "NAME"}, {.heading = "NOTE"}});
  table.AddRow({"a\x1b[2J\nb", "\u202e"});
  EXPECT_EQ(table.Format(), "NAME         NOTE\na\\x1b[2J\\nb  \\u202e\n");
}

TEST(NamedValues, LeaveOutWhatIsEmpty) {
  EXPECT_EQ(FormatNamedValues({{"Name", "x"}, {"Display name", ""}, {"Error", "a\nb"}}),
            "Name   x\nError  a\\nb\n");
}

}  // namespace
}  // namespace sluice
