#include "engine/ledger.h"

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

class LedgerTest : public testing::Test {
 protected:
  Ledger Open() { return Ledger::Open(path_).value(); }

  TempFolder folder_;
  std::string path_ = folder_.Path("ledger.db");
};

ShardTrack StagedTrack() {
  ShardTrack track;
  track.shard = 4;
  track.rows = 1000;
  track.state = ShardState::kIntent;
  track.attempt = 2;
  track.jobs_ended_empty = 1;
  track.staged_file = "files/sl-x-4-2";
  track.note = "waits";
  return track;
}

TEST_F(LedgerTest, GivesBackWhatWasSavedAfterItIsOpenedAgain) {
  {
    Ledger ledger = Open();
    ShardTrack track = StagedTrack();
    track.given_up =
        RowFailure{.failure_class = FailureClass::kQuota, .code = 8, .message = "too \"much\""};
    ASSERT_TRUE(ledger.Save(track).has_value());
    ASSERT_TRUE(ledger.Set("run_id", "abc").has_value());
  }
  Ledger ledger = Open();
  const auto tracks = ledger.Tracks().value();
  ASSERT_EQ(tracks.size(), 1u);
  EXPECT_EQ(tracks[0].shard, 4u);
  EXPECT_EQ(tracks[0].rows, 1000u);
  EXPECT_EQ(tracks[0].state, ShardState::kIntent);
  EXPECT_EQ(tracks[0].attempt, 2);
  EXPECT_EQ(tracks[0].jobs_ended_empty, 1);
  EXPECT_EQ(tracks[0].staged_file, "files/sl-x-4-2");
  EXPECT_EQ(tracks[0].note, "waits");
  ASSERT_TRUE(tracks[0].given_up.has_value());
  EXPECT_EQ(tracks[0].given_up->failure_class, FailureClass::kQuota);
  EXPECT_EQ(tracks[0].given_up->message, "too \"much\"");
  EXPECT_EQ(ledger.Get("run_id").value(), "abc");
  EXPECT_EQ(ledger.Get("nothing").value(), std::nullopt);
}

TEST_F(LedgerTest, KeepsTheJobOfEveryAttempt) {
  Ledger ledger = Open();
  ShardTrack track = StagedTrack();
  ASSERT_TRUE(ledger.SaveIntent(track, "sluice/x/4/2").has_value());
  track.state = ShardState::kSubmitted;
  track.job = "batches/a";
  ASSERT_TRUE(ledger.SaveOutcome(track, CreateOutcome::kCreated).has_value());
  EXPECT_EQ(ledger.JobNames().value(), std::vector<std::string>{"batches/a"});
}

TEST_F(LedgerTest, AllowsASecondIntentOnlyAfterADefiniteNo) {
  for (const CreateOutcome outcome : {CreateOutcome::kNotSent, CreateOutcome::kRefused}) {
    ShardTrack track = StagedTrack();
    track.shard = static_cast<uint32_t>(outcome);
    Ledger ledger = Open();
    ASSERT_TRUE(ledger.SaveIntent(track, "d").has_value());
    ASSERT_TRUE(ledger.SaveOutcome(track, outcome).has_value());
    EXPECT_TRUE(ledger.SaveIntent(track, "d").has_value());
  }
}

TEST_F(LedgerTest, StopsTheProcessAtASecondIntentForAnAttemptThatMayHaveMadeAJob) {
  Ledger ledger = Open();
  const ShardTrack track = StagedTrack();
  ASSERT_TRUE(ledger.SaveIntent(track, "d").has_value());
  EXPECT_DEATH((void)ledger.SaveIntent(track, "d"), "second intent");
  ASSERT_TRUE(ledger.SaveOutcome(track, CreateOutcome::kUnknown).has_value());
  EXPECT_DEATH((void)ledger.SaveIntent(track, "d"), "second intent");
}

TEST_F(LedgerTest, KeepsMergeCounts) {
  Ledger ledger = Open();
  ShardTrack track = StagedTrack();
  track.state = ShardState::kMerged;
  const MergeCounts counts{.ok = 5,
                           .failed = 2,
                           .failed_by_class = {{"quota", 2}},
                           .duplicates = 1,
                           .conflicts = 3,
                           .strangers = 4,
                           .malformed_lines = 6,
                           .prompt_tokens = 77,
                           .output_tokens = {},
                           .answer_bytes = 999,
                           .values = 3840,
                           .general_values = 7};
  ASSERT_TRUE(ledger.SaveMerged(track, counts).has_value());
  const auto merges = ledger.Merges().value();
  ASSERT_TRUE(merges.contains(4));
  EXPECT_EQ(merges.at(4).failed_by_class.at("quota"), 2u);
  EXPECT_EQ(merges.at(4).prompt_tokens, 77);
  EXPECT_EQ(merges.at(4).output_tokens, std::nullopt);
  EXPECT_EQ(merges.at(4).answer_bytes, 999u);
  EXPECT_EQ(merges.at(4).values, 3840u);
  EXPECT_EQ(merges.at(4).general_values, 7u);
}

TEST_F(LedgerTest, RefusesADamagedFileInsteadOfStartingOver) {
  {
    ASSERT_TRUE(Open().Set("a", "b").has_value());
  }
  std::string bytes = TempFolder::Read(path_);
  for (size_t i = 100; i < bytes.size(); ++i) {
    bytes[i] = static_cast<char>(bytes[i] ^ 0x5a);
  }
  (void)folder_.Write("ledger.db", bytes);
  const auto ledger = Ledger::Open(path_);
  ASSERT_FALSE(ledger.has_value());
  EXPECT_EQ(ledger.error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace sluice
