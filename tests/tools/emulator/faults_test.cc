#include "tools/emulator/faults.h"

#include <gtest/gtest.h>
#include <set>
#include <string>

namespace sluice {
namespace {

std::unique_ptr<Faults> On(const std::string& text) { return Faults::Parse({text}, 1).value(); }

int CountHappening(Faults& faults, Fault fault, int occasions) {
  int count = 0;
  for (int i = 0; i < occasions; ++i) {
    count += faults.Happens(fault) ? 1 : 0;
  }
  return count;
}

TEST(Faults, TableNamesEveryFaultOnceInItsPlace) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < EmulatorFaults().size(); ++i) {
    EXPECT_EQ(static_cast<size_t>(EmulatorFaults()[i].fault), i) << EmulatorFaults()[i].name;
    names.insert(EmulatorFaults()[i].name);
    EXPECT_FALSE(EmulatorFaults()[i].effect.empty());
  }
  EXPECT_EQ(names.size(), kFaultCount);
}

TEST(Faults, EverySwitchWorksWithoutAnArgument) {
  for (const FaultInfo& info : EmulatorFaults()) {
    EXPECT_TRUE(Faults::Parse({std::string(info.name)}, 1).has_value()) << info.name;
  }
}

TEST(Faults, RefusesUnknownSwitchesAndWrongArguments) {
  for (const char* text : {"nonsense", "http-503=often", "http-503=1.5", "cut-upload=0.5",
                           "no-shuffle=1", "stall@x", "create-lost=", ""}) {
    const auto faults = Faults::Parse({text}, 1);
    ASSERT_FALSE(faults.has_value()) << text;
    EXPECT_EQ(faults.error().code, ErrorCode::kUsage) << text;
  }
}

TEST(Faults, HappenNeverWhenOff) {
  EXPECT_EQ(CountHappening(*Faults::Parse({}, 1).value(), Fault::kStall, 100), 0);
}

TEST(Faults, WholeNumberMeansTheFirstOccasions) {
  EXPECT_EQ(CountHappening(*On("http-503=3"), Fault::kHttp503, 100), 3);
}

TEST(Faults, ShareMeansThatShareOfTheOccasions) {
  EXPECT_NEAR(CountHappening(*On("http-503=0.25"), Fault::kHttp503, 4000), 1000, 120);
  EXPECT_NEAR(CountHappening(*On("http-503=25%"), Fault::kHttp503, 4000), 1000, 120);
  EXPECT_EQ(CountHappening(*On("http-503=1.0"), Fault::kHttp503, 100), 100);
}

TEST(Faults, AtLimitsHowOften) {
  EXPECT_EQ(CountHappening(*On("create-lost=reset@2"), Fault::kCreateLost, 10), 2);
  EXPECT_EQ(On("create-lost=reset@2")->Word(Fault::kCreateLost), "reset");
}

TEST(Faults, HitsSoManyLinesOrThatShareOfThem) {
  const auto three = On("drop-line=3");
  const auto half = On("drop-line=50%");
  int hit_by_three = 0;
  int hit_by_half = 0;
  for (uint64_t i = 0; i < 2000; ++i) {
    hit_by_three += three->HitsLine(Fault::kDropLine, i) ? 1 : 0;
    hit_by_half += half->HitsLine(Fault::kDropLine, i) ? 1 : 0;
  }
  EXPECT_EQ(hit_by_three, 3);
  EXPECT_NEAR(hit_by_half, 1000, 100);
}

TEST(Faults, TheSeedDecides) {
  const auto draw = [](uint64_t seed) {
    const auto faults = Faults::Parse({"stall=0.5"}, seed).value();
    std::string draws;
    for (int i = 0; i < 64; ++i) {
      draws += faults->Happens(Fault::kStall) ? '1' : '0';
    }
    return draws;
  };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1), draw(2));
}

}  // namespace
}  // namespace sluice
