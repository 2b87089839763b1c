#include "engine/ledger.h"

#include <cstdlib>
#include <gtest/gtest.h>
#include <limits>
#include <optional>

#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

class LedgerTest : public testing::Test {
 protected:
  Ledger Open() { return Ledger::Open(path_).value(); }

  // As the first version left it, by the sqlite3 of the system.
  void GoBackToVersion1() {
    std::string sql = "DROP TABLE surplus; ALTER TABLE attempts DROP COLUMN rows;";
    for (const char* column : {"jobs_ended", "round", "rows_asked", "retry_classes", "request_file",
                               "request_bytes", "request_xxh3"}) {
      sql += std::string("ALTER TABLE shards DROP COLUMN ") + column + ";";
    }
    Execute(sql + "PRAGMA user_version=1;");
  }

  // By the SQLite of the system.
  void Execute(const std::string& sql) {
    const std::string command =
        "python3 -c 'import sqlite3,sys; d=sqlite3.connect(sys.argv[1]); "
        "d.executescript(open(sys.argv[2]).read()); d.commit()' '" +
        path_ + "' '" + folder_.Write("sql", sql) + "'";
    ASSERT_EQ(std::system(command.c_str()), 0) << sql;
  }

  TempFolder folder_;
  std::string path_ = folder_.Path("ledger.db");
};

ShardTrack SealedTrack(uint32_t shard = 4) {
  ShardTrack track;
  track.shard = shard;
  track.rows = 7;
  track.rows_asked = 7;
  return track;
}

// On its way as far as the file at the service.
ShardTrack SaveStaged(Ledger& ledger, uint32_t shard = 4) {
  ShardTrack track = SealedTrack(shard);
  EXPECT_TRUE(ledger.Save(track).has_value());
  track.state = ShardState::kStaged;
  track.staged_file = "files/sl-x-4-1";
  EXPECT_TRUE(ledger.Save(track).has_value());
  return track;
}

Result<void> SaveIntent(Ledger& ledger, ShardTrack& track, const SpendCap& cap = {}) {
  ShardTrack intent = track;
  intent.state = ShardState::kIntent;
  SLUICE_TRY(ledger.SaveIntent(intent, "sluice/x/4/1", cap));
  track = intent;
  return {};
}

ShardTrack SaveSubmitted(Ledger& ledger, uint32_t shard = 4) {
  ShardTrack track = SaveStaged(ledger, shard);
  EXPECT_TRUE(SaveIntent(ledger, track).has_value());
  track.state = ShardState::kSubmitted;
  track.job = "batches/a";
  EXPECT_TRUE(ledger.SaveOutcome(track, AttemptOutcome::kCreated).has_value());
  return track;
}

ShardTrack SaveEnded(Ledger& ledger) {
  ShardTrack track = SaveSubmitted(ledger);
  track.state = ShardState::kEnded;
  EXPECT_TRUE(ledger.Save(track).has_value());
  return track;
}

// From MERGED to ENDED of the round after it.
void SaveNextRound(Ledger& ledger, ShardTrack& track) {
  track.state = ShardState::kRepack;
  ASSERT_TRUE(ledger.Save(track).has_value());
  track.state = ShardState::kSealed;
  ++track.attempt;
  ++track.round;
  track.rows_asked = 2;
  track.request = {.name = "00004.r1.jsonl.zst", .plain_bytes = 10, .checksum = "x"};
  track.staged_file.clear();
  track.job.clear();
  ASSERT_TRUE(ledger.Save(track).has_value());
  track.state = ShardState::kEnded;
  ASSERT_TRUE(ledger.Save(track).has_value());
  track.state = ShardState::kMerged;
}

TEST_F(LedgerTest, GivesBackWhatWasSavedAfterItIsOpenedAgain) {
  {
    Ledger ledger = Open();
    ShardTrack track = SaveEnded(ledger);
    track.jobs_ended_empty = 1;
    track.jobs_ended = 2;
    track.note = "waits";
    track.given_up =
        RowFailure{.failure_class = FailureClass::kQuota, .code = 8, .message = "too \"much\""};
    ASSERT_TRUE(ledger.Save(track).has_value());
    ASSERT_TRUE(ledger.Set("run_id", "abc").has_value());
  }
  Ledger ledger = Open();
  const auto tracks = ledger.Tracks().value();
  ASSERT_EQ(tracks.size(), 1u);
  EXPECT_EQ(tracks[0].shard, 4u);
  EXPECT_EQ(tracks[0].rows, 7u);
  EXPECT_EQ(tracks[0].rows_asked, 7u);
  EXPECT_EQ(tracks[0].state, ShardState::kEnded);
  EXPECT_EQ(tracks[0].attempt, 1);
  EXPECT_EQ(tracks[0].jobs_ended_empty, 1);
  EXPECT_EQ(tracks[0].jobs_ended, 2);
  EXPECT_EQ(tracks[0].staged_file, "files/sl-x-4-1");
  EXPECT_EQ(tracks[0].job, "batches/a");
  EXPECT_EQ(tracks[0].note, "waits");
  ASSERT_TRUE(tracks[0].given_up.has_value());
  EXPECT_EQ(tracks[0].given_up->failure_class, FailureClass::kQuota);
  EXPECT_EQ(tracks[0].given_up->message, "too \"much\"");
  EXPECT_EQ(ledger.Get("run_id").value(), "abc");
  EXPECT_EQ(ledger.Get("nothing").value(), std::nullopt);
}

TEST_F(LedgerTest, KeepsTheJobOfEveryAttempt) {
  Ledger ledger = Open();
  (void)SaveSubmitted(ledger);
  EXPECT_EQ(ledger.JobNames().value(), std::vector<std::string>{"batches/a"});
}

TEST_F(LedgerTest, AllowsASecondIntentOnlyAfterADefiniteNo) {
  Ledger ledger = Open();
  for (const AttemptOutcome outcome : {AttemptOutcome::kNotSent, AttemptOutcome::kRefused}) {
    ShardTrack track = SaveStaged(ledger, static_cast<uint32_t>(outcome));
    ASSERT_TRUE(SaveIntent(ledger, track).has_value());
    track.state = ShardState::kStaged;
    ASSERT_TRUE(ledger.SaveOutcome(track, outcome).has_value());
    EXPECT_TRUE(SaveIntent(ledger, track).has_value());
  }
}

TEST_F(LedgerTest, StopsTheProcessAtASecondIntentForAnAttemptThatMayHaveMadeAJob) {
  Ledger ledger = Open();
  ShardTrack track = SaveStaged(ledger);
  ASSERT_TRUE(SaveIntent(ledger, track).has_value());
  EXPECT_DEATH((void)ledger.SaveIntent(track, "d", {}), "second intent");
}

TEST_F(LedgerTest, StopsTheProcessAtAStepThatIsNotInTheTable) {
  Ledger ledger = Open();
  ShardTrack lost = SaveStaged(ledger);
  ASSERT_TRUE(SaveIntent(ledger, lost).has_value());
  lost.state = ShardState::kUnknown;
  ASSERT_TRUE(ledger.SaveOutcome(lost, AttemptOutcome::kUnknown).has_value());
  ShardTrack resent = lost;
  resent.state = ShardState::kSealed;
  ++resent.attempt;
  EXPECT_DEATH((void)ledger.Save(resent), "UNKNOWN .* to SEALED") << "without a fence";
  ShardTrack same_file = SaveSubmitted(ledger, 5);
  same_file.state = ShardState::kSealed;
  same_file.job.clear();
  EXPECT_DEATH((void)ledger.Save(same_file), "attempt is wrong") << "a file serves one attempt";
  ShardTrack nameless = SaveStaged(ledger, 6);
  ASSERT_TRUE(SaveIntent(ledger, nameless).has_value());
  nameless.state = ShardState::kSubmitted;
  EXPECT_DEATH((void)ledger.Save(nameless), "name is missing");
}

TEST_F(LedgerTest, RefusesAnIntentThatPassesTheCapAndWritesNothingOfIt) {
  Ledger ledger = Open();
  (void)SaveSubmitted(ledger, 1);
  ShardTrack track = SaveStaged(ledger, 2);
  const auto jobs = SaveIntent(ledger, track, {.jobs_max = 1, .rows_max = {}});
  ASSERT_FALSE(jobs.has_value());
  EXPECT_EQ(jobs.error().code, ErrorCode::kBudget);
  EXPECT_NE(jobs.error().message.find("--max-jobs 1"), std::string::npos);
  const auto rows = SaveIntent(ledger, track, {.jobs_max = {}, .rows_max = 13});
  ASSERT_FALSE(rows.has_value());
  EXPECT_NE(rows.error().message.find("--max-rows 13"), std::string::npos);
  EXPECT_EQ(ledger.Tracks().value()[1].state, ShardState::kStaged);
  EXPECT_TRUE(SaveIntent(ledger, track, {.jobs_max = 2, .rows_max = 14}).has_value());
}

TEST_F(LedgerTest, AnAttemptThatIsDeadForCertainCostsNothing) {
  Ledger ledger = Open();
  ShardTrack track = SaveStaged(ledger, 1);
  ASSERT_TRUE(SaveIntent(ledger, track).has_value());
  for (const ShardState state : {ShardState::kUnknown, ShardState::kFenced}) {
    track.state = state;
    ASSERT_TRUE(ledger.SaveOutcome(track, AttemptOutcome::kUnknown).has_value());
  }
  ShardTrack other = SaveStaged(ledger, 2);
  EXPECT_FALSE(SaveIntent(ledger, other, {.jobs_max = 1, .rows_max = {}}).has_value());
  track.state = ShardState::kSealed;
  ++track.attempt;
  track.staged_file.clear();
  ASSERT_TRUE(ledger.SaveOutcome(track, AttemptOutcome::kDead).has_value());
  EXPECT_TRUE(SaveIntent(ledger, other, {.jobs_max = 1, .rows_max = {}}).has_value());
}

TEST_F(LedgerTest, KeepsMergeCountsAndAddsThoseOfLaterRounds) {
  Ledger ledger = Open();
  ShardTrack track = SaveEnded(ledger);
  track.state = ShardState::kMerged;
  const MergeCounts first{.ok = 5,
                          .failed = 2,
                          .failed_by_class = {{"quota", 2}},
                          .duplicates = 1,
                          .conflicts = 3,
                          .strangers = 4,
                          .malformed_lines = 6,
                          .prompt_tokens = 77,
                          .output_tokens = {},
                          .answer_bytes = 999,
                          .answers_kept = 1,
                          .values = 3840,
                          .general_values = 7,
                          .shortened = 2,
                          .truncated = 3,
                          .first_conflict = 9};
  ASSERT_TRUE(ledger.SaveMerged(track, first).has_value());
  EXPECT_EQ(ledger.Merges().value().at(4).failed_by_class.at("quota"), 2u);
  EXPECT_EQ(ledger.Merges().value().at(4).output_tokens, std::nullopt);
  SaveNextRound(ledger, track);
  MergeCounts second;
  second.ok = 1;
  second.failed = 1;
  second.failed_by_class = {{"quota", 1}};
  second.prompt_tokens = 3;
  second.truncated = 1;
  second.first_conflict = 8;
  ASSERT_TRUE(ledger.SaveMerged(track, second).has_value());
  const MergeCounts both = ledger.Merges().value().at(4);
  EXPECT_EQ(both.ok, 6u);
  EXPECT_EQ(both.failed, 1u);
  EXPECT_EQ(both.failed_by_class.at("quota"), 1u);
  EXPECT_EQ(both.prompt_tokens, 80);
  EXPECT_EQ(both.answer_bytes, 999u);
  EXPECT_EQ(both.answers_kept, 1u);
  EXPECT_EQ(both.values, 3840u);
  EXPECT_EQ(both.shortened, 2u);
  EXPECT_EQ(both.truncated, 4u);
  EXPECT_EQ(both.first_conflict, 8u);
}

TEST_F(LedgerTest, AShardThatIsSentBackIsMergedAnew) {
  Ledger ledger = Open();
  ShardTrack track = SaveEnded(ledger);
  for (const uint64_t ok : {6U, 7U}) {
    track.state = ShardState::kMerged;
    MergeCounts counts;
    counts.ok = ok;
    counts.failed = 7 - ok;
    ASSERT_TRUE(ledger.SaveMerged(track, counts).has_value());
    EXPECT_EQ(ledger.Merges().value().at(4).ok, ok);
    track.state = ShardState::kEnded;
    ASSERT_TRUE(ledger.Save(track).has_value());
    EXPECT_TRUE(ledger.Merges().value().empty());
    EXPECT_TRUE(Ledger::Open(path_).has_value());
  }
}

TEST_F(LedgerTest, OpensALedgerOfTheFirstVersion) {
  {
    Ledger ledger = Open();
    (void)SaveSubmitted(ledger);
  }
  GoBackToVersion1();
  {
    Ledger reading = Ledger::OpenToRead(path_).value();
    EXPECT_EQ(reading.Tracks().value().at(0).rows_asked, 7u);
    EXPECT_TRUE(reading.Surplus().value().empty());
  }
  Ledger ledger = Open();
  const auto tracks = ledger.Tracks().value();
  ASSERT_EQ(tracks.size(), 1u);
  EXPECT_EQ(tracks[0].state, ShardState::kSubmitted);
  EXPECT_EQ(tracks[0].rows_asked, 7u);
  EXPECT_EQ(tracks[0].round, 0);
  ShardTrack other = SaveStaged(ledger, 9);
  EXPECT_FALSE(SaveIntent(ledger, other, {.jobs_max = {}, .rows_max = 13}).has_value())
      << "the rows of old attempts count";
}

// Whatever stands in it, a ledger is used, or refused with one clear error.
TEST_F(LedgerTest, RefusesWhatNoSluiceWrote) {
  {
    Ledger ledger = Open();
    ShardTrack track = SaveEnded(ledger);
    track.given_up = RowFailure{.failure_class = FailureClass::kQuota, .message = "x"};
    ASSERT_TRUE(ledger.Save(track).has_value());
    track.state = ShardState::kMerged;
    MergeCounts counts;
    counts.ok = 7;
    ASSERT_TRUE(ledger.SaveMerged(track, counts).has_value());
    (void)SaveSubmitted(ledger, 5);
    (void)SaveStaged(ledger, 6);
    ASSERT_TRUE(ledger.Set("dimension", "8").has_value());
    ASSERT_TRUE(
        ledger.Set("settings", R"({"--dim":8,"--model":"m","--normalize":true})").has_value());
    ASSERT_TRUE(ledger.Set("files", R"([{"name":"'a'","size":1,"mtime_ns":2}])").has_value());
    ASSERT_TRUE(ledger.Set("outputs", R"([{"path":"a","bytes":1,"rows":2}])").has_value());
    ASSERT_TRUE(ledger.Set("note", "{free").has_value());
  }
  ASSERT_TRUE(Ledger::Open(path_).has_value());
  const std::string whole = TempFolder::Read(path_);
  const auto expect_refused = [&](const std::string& sql, bool is_value) {
    (void)folder_.Write("ledger.db", whole);
    Execute(sql);
    for (const bool reads : {true, false}) {
      const auto ledger = reads ? Ledger::OpenToRead(path_) : Ledger::Open(path_);
      if (reads && !is_value) {
        EXPECT_TRUE(ledger.has_value()) << sql;
        continue;
      }
      ASSERT_FALSE(ledger.has_value()) << sql;
      EXPECT_EQ(ledger.error().code, ErrorCode::kInput) << sql;
      EXPECT_TRUE(ledger.error().message.starts_with("the ledger is damaged: "))
          << ledger.error().message;
      EXPECT_FALSE(ledger.error().hint.empty());
    }
  };
  for (const char* given_up :
       {"x", "7", "[]", "{}", R"({"class":"x","code":0,"message":""})",
        R"({"class":8,"code":0,"message":""})", R"({"class":-1,"code":0,"message":""})",
        R"({"class":1.5,"code":0,"message":""})", R"({"class":1,"code":1e99,"message":""})",
        R"({"class":1,"code":0,"message":7})"}) {
    expect_refused(std::string("UPDATE shards SET given_up='") + given_up + "'", true);
  }
  for (const char* value : {"rows=-1", "rows='x'", "attempt=1.5", "attempt=-1", "jobs_ended=''",
                            "round=-1", "rows_asked='many'", "request_bytes=-5", "state='LOST'",
                            "retry_classes='x'", "shard=-4", "shard=99999999999"}) {
    expect_refused(std::string("UPDATE shards SET ") + value + " WHERE shard=4", true);
  }
  for (const char* value : {"outcome='MAYBE'", "rows=-1", "attempt='x'", "shard=-1"}) {
    expect_refused(std::string("UPDATE attempts SET ") + value + " WHERE shard=4", true);
  }
  for (const char* value : {"x", "[]", "{}", "null"}) {
    expect_refused(std::string("UPDATE merges SET counts='") + value + "'", true);
  }
  for (const char* value :
       {"$.ok',-7)", "$.ok',7.5)", "$.ok','7')", "$.digest','x')",
        "$.failed_by_class',json('[[]]'))", "$.failed_by_class',json('{\"quota\":-1}'))"}) {
    expect_refused(std::string("UPDATE merges SET counts=json_set(counts,'") + value, true);
  }
  for (const char* fact :
       {"dimension|x", "dimension|", "dimension|99999999999999", "settings|x", "settings|[]",
        R"(settings|{"--dim":"x"})", R"(settings|{"--dim":-1})", R"(settings|{"--model":7})",
        R"(settings|{"--normalize":"no"})", "files|{", "files|{}", "files|[7]",
        R"(files|[{"name":7,"size":1,"mtime_ns":2}])", "outputs|x", "outputs|[{}]"}) {
    std::string key(fact);
    const std::string value = key.substr(key.find('|') + 1);
    key.resize(key.find('|'));
    expect_refused("UPDATE meta SET value='" + value + "' WHERE key='" + key + "'", true);
  }
  for (const char* sql : {"DELETE FROM shards WHERE shard=4", "DELETE FROM shards WHERE shard=5",
                          "DELETE FROM merges", "DELETE FROM attempts WHERE shard=5",
                          "INSERT INTO merges SELECT 6,counts FROM merges",
                          "UPDATE merges SET counts=json_set(counts,'$.ok',6)",
                          "UPDATE shards SET job='' WHERE shard=5",
                          "UPDATE shards SET job='',state='STAGED' WHERE shard=5",
                          "UPDATE attempts SET attempt=2 WHERE shard=5"}) {
    expect_refused(sql, false);
  }
}

TEST_F(LedgerTest, RefusesALedgerOfANewerSluiceAlsoToRead) {
  ASSERT_TRUE(Ledger::Open(path_).has_value());
  Execute("PRAGMA user_version=1000;");
  for (const auto& ledger : {Ledger::Open(path_), Ledger::OpenToRead(path_)}) {
    ASSERT_FALSE(ledger.has_value());
    EXPECT_EQ(ledger.error().code, ErrorCode::kInput);
    EXPECT_NE(ledger.error().message.find("newer"), std::string::npos);
  }
}

TEST(AddTokens, NeverRunsOver) {
  std::optional<int64_t> sum;
  AddTokens(sum, std::nullopt);
  EXPECT_FALSE(sum.has_value());
  AddTokens(sum, 5);
  EXPECT_EQ(sum, 5);
  AddTokens(sum, std::numeric_limits<int64_t>::max());
  EXPECT_EQ(sum, std::numeric_limits<int64_t>::max());
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
  EXPECT_EQ(ledger.error().code, ErrorCode::kInput);
}

}  // namespace
}  // namespace sluice
