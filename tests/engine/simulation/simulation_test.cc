// The real tracker, plan and ledger on simulated time, network and disk: runs of days in
// milliseconds, killed anywhere, from a seed. The service is simulated as a Provider ("Bare"), or
// as what stands at the other end of a real provider's wire. SLUICE_SIMULATION_SEEDS says how many
// seeds (2,000, and fewer over a wire), and SLUICE_SIMULATION_FIRST where they begin.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <unistd.h>

#include "engine/tracker.h"
#include "tests/engine/simulation/gemini_wire.h"
#include "tests/engine/simulation/simulated_lines.h"
#include "tests/engine/simulation/simulated_service.h"
#include "tests/engine/simulation/tables_wire.h"
#include "tests/engine/simulation/vertex_wire.h"
#include "tests/support/collected_bytes.h"

namespace sluice {
namespace {

using std::chrono::seconds;

constexpr uint32_t kShards = 3;
constexpr uint64_t kRowsOfShard = 5;
constexpr uint64_t kSeedsOverWire = 100;

uint64_t NumberFromEnvironment(const char* name, uint64_t fallback) {
  const char* const text = std::getenv(name);
  return text == nullptr ? fallback : std::stoull(text);
}

// In memory where that can be had: the ledger syncs at every step.
std::filesystem::path LedgerFolder() {
  const std::filesystem::path memory = "/dev/shm";
  std::error_code error;
  const bool has_memory = std::filesystem::is_directory(memory, error);
  const auto base = has_memory ? memory : std::filesystem::temp_directory_path();
  return base / fmt::format("sluice-simulation-{}", getpid());
}

// One thread, and time that passes only when there is nothing to do.
class SimulatedLoop final : public WorkLoop {
 public:
  SimulatedLoop(SimulatedClock& clock, SimulatedService& service,
                std::optional<MonotonicTime> stop_at)
      : clock_(clock), service_(service), stop_at_(stop_at) {}

  [[nodiscard]] std::stop_token stop_token() const { return stop_.get_token(); }

  void Start(std::function<void()> work) override {
    const auto latency = service_.Chance(20) ? seconds(service_.Below(90))
                                             : std::chrono::milliseconds(service_.Below(2'000));
    work_.emplace(clock_.Now() + latency, std::move(work));
  }
  void Post(Event event) override { events_.push_back(std::move(event)); }

  std::vector<Event> Wait(MonotonicTime deadline, std::stop_token) override {
    while (events_.empty() && !work_.empty() && work_.begin()->first <= deadline) {
      clock_.AdvanceTo(work_.begin()->first);
      const auto work = std::move(work_.begin()->second);
      work_.erase(work_.begin());
      work();
    }
    if (events_.empty()) {
      clock_.AdvanceTo(deadline);
    }
    if (stop_at_.has_value() && clock_.Now() >= *stop_at_) {
      stop_.request_stop();
    }
    return std::exchange(events_, {});
  }

 private:
  SimulatedClock& clock_;
  SimulatedService& service_;
  std::optional<MonotonicTime> stop_at_;
  std::stop_source stop_;
  std::multimap<MonotonicTime, std::function<void()>> work_;
  std::vector<Event> events_;
};

// What a run's folder holds, as far as rows are concerned. It outlives the process.
struct Folder {
  std::map<Ordinal, Ordinal> values;  // row -> the row whose answer stands there
  std::map<std::pair<uint32_t, int>, std::map<Ordinal, FailureClass>> failures;
};

class SimulatedDisk final : public ShardDisk {
 public:
  SimulatedDisk(SimulatedService& service, Provider& provider, Folder& folder,
                FailureClasses retry_classes)
      : service_(service), provider_(provider), folder_(folder), retry_classes_(retry_classes) {}

  Result<StageSource> Requests(const ShardTrack& track, const ShardEntry& entry,
                               std::stop_token) override {
    const std::string identity = fmt::format("{}/{}", track.shard, track.round);
    const std::vector<Ordinal> rows = Asked(track, entry);
    if (track.round == 0) {
      service_.contents[identity] = rows;
    }
    StageSource source = SourceOfBytes(FormatRequestLines(rows));
    source.identity = identity;
    return source;
  }

  Result<Collected> Collect(const ShardTrack& track, const ShardEntry& entry, bool,
                            std::stop_token stop) override {
    const SimulatedJob* job = nullptr;
    SimulatedAnswers answers;
    if (!track.given_up.has_value()) {
      SLUICE_ASSIGN(answers, Fetch(track.job, std::move(stop)));
      job = service_.Find(track.job);
    }
    const std::vector<Ordinal> asked = Asked(track, entry);
    std::map<Ordinal, FailureClass> failed;
    for (const Ordinal row : asked) {
      if (const auto failure = FailureOf(row, track, job, answers)) {
        failed[row] = *failure;
      } else {
        folder_.values[row] = row;
      }
      service_.MayDie();
    }
    const bool is_ours = std::ranges::all_of(answers, [&](const auto& answer) {
      return std::ranges::binary_search(asked, answer.first);
    });
    if (job != nullptr && (job->rows != asked || !is_ours)) {
      return Fail(ErrorCode::kInternal, "the answers are those of other rows");
    }
    return Finish(track, asked, failed);
  }

  Result<Repacked> Repack(const ShardTrack& track, const ShardEntry&, std::stop_token) override {
    std::vector<Ordinal> rows;
    for (const auto& [row, failure] : folder_.failures.at({track.shard, track.round})) {
      if (track.retry_classes.contains(failure)) {
        rows.push_back(row);
      }
    }
    service_.MayDie();
    const int round = track.round + 1;
    service_.contents[fmt::format("{}/{}", track.shard, round)] = rows;
    return Repacked{
        .request = {.name = fmt::format("r{}", round), .plain_bytes = 1, .checksum = "x"},
        .rows = rows.size()};
  }

  Result<void> DropRequests(const ShardTrack&) override { return {}; }
  int dimension() override { return 2; }

 private:
  Result<SimulatedAnswers> Fetch(const std::string& name, std::stop_token stop) {
    BatchJob job;
    job.name = name;
    CollectedBytes answers;
    SLUICE_TRY(provider_.FetchAnswers(job, answers.writer(), answers.restart(), std::move(stop)));
    return ParseAnswerLines(answers.text);
  }

  std::vector<Ordinal> Asked(const ShardTrack& track, const ShardEntry& entry) const {
    std::vector<Ordinal> rows;
    for (Ordinal row = entry.range.first; row < entry.range.end(); ++row) {
      const bool is_asked =
          track.round == 0 || (folder_.failures.at({track.shard, track.round - 1}).contains(row) &&
                               track.retry_classes.contains(
                                   folder_.failures.at({track.shard, track.round - 1}).at(row)));
      if (is_asked) {
        rows.push_back(row);
      }
    }
    return rows;
  }

  static std::optional<FailureClass> FailureOf(Ordinal row, const ShardTrack& track,
                                               const SimulatedJob* job,
                                               const SimulatedAnswers& answers) {
    if (job == nullptr) {
      return track.given_up->failure_class;
    }
    const auto answer = answers.find(row);
    if (answer == answers.end()) {
      return job->end == JobState::kCancelled ? FailureClass::kCancelled : FailureClass::kMissing;
    }
    return answer->second;
  }

  Result<Collected> Finish(const ShardTrack& track, const std::vector<Ordinal>& asked,
                           const std::map<Ordinal, FailureClass>& failed) {
    std::map<Ordinal, FailureClass> after = failed;
    if (track.round > 0) {
      for (const auto& [row, failure] : folder_.failures.at({track.shard, track.round - 1})) {
        if (!std::ranges::binary_search(asked, row)) {
          after[row] = failure;
        }
      }
    }
    folder_.failures[{track.shard, track.round}] = after;
    service_.MayDie();
    Collected collected;
    collected.counts.ok = asked.size() - failed.size();
    collected.counts.failed = after.size();
    collected.retryable = static_cast<uint64_t>(std::ranges::count_if(
        failed, [this](const auto& entry) { return retry_classes_.contains(entry.second); }));
    return collected;
  }

  SimulatedService& service_;
  Provider& provider_;
  Folder& folder_;
  FailureClasses retry_classes_;
};

enum class Backend { kBare, kGemini, kVertex, kTables };

bool IsVertex(Backend backend) {
  return backend == Backend::kVertex || backend == Backend::kTables;
}

SimulatedHabits HabitsOf(Backend backend) {
  return IsVertex(backend) ? VertexWire::Habits() : GeminiWire::Habits();
}

std::unique_ptr<SimulatedWire> MakeWire(Backend backend, SimulatedService& service,
                                        SimulatedClock& clock) {
  switch (backend) {
    case Backend::kGemini:
      return std::make_unique<GeminiWire>(service, clock);
    case Backend::kVertex:
      return std::make_unique<VertexWire>(service, clock);
    case Backend::kTables:
      return std::make_unique<TablesWire>(service, clock);
    case Backend::kBare:
      break;
  }
  return nullptr;
}

// One run from its first start to its end, through as many processes as it takes.
class Simulation {
 public:
  Simulation(Backend backend, uint64_t seed, std::string ledger_path, SimulatedFaults faults)
      : clock_(seed),
        service_(seed, clock_, faults, HabitsOf(backend)),
        wire_(MakeWire(backend, service_, clock_)),
        ledger_path_(std::move(ledger_path)) {
    // Only models that generate read tables.
    const bool generates = backend == Backend::kTables;
    tracker_options.task = generates ? Task::kGenerate : Task::kEmbed;
    tracker_options.model = generates ? "gemini-2.5-flash" : "gemini-embedding-001";
    policy_.run_id = "0123456789ab";
    policy_.attempts_max = 1 + static_cast<int>(service_.Below(4));
  }

  // Starts processes until the run is done; gives the error of one that ended otherwise.
  std::optional<Error> GoOn() {
    for (int process = 0; process < kProcessesMax; ++process) {
      const Result<void> ended = OneProcess();
      if (ended.has_value()) {
        return std::nullopt;
      }
      if (ended.error().code != ErrorCode::kUnfinished || stop_at_.has_value()) {
        return ended.error();
      }
    }
    return Error{.code = ErrorCode::kInternal, .message = "it does not come to an end"};
  }

  // Somewhere in the first two days the run is stopped, cancelled, perhaps brought home, and then
  // asked for again.
  void CancelAndRetry() {
    StopAfter(std::chrono::hours(service_.Below(48)));
    (void)GoOn();
    stop_at_.reset();
    policy_.is_cancelled = true;
    policy_.cancels = true;
    ASSERT_FALSE(GoOn().has_value());
    policy_.cancels = false;
    if (service_.Chance(500)) {
      ASSERT_FALSE(GoOn().has_value());
    }
    Retry(FailureClasses::All());
  }

  // As the command does it: everything that failed, once more.
  void Retry(FailureClasses classes) {
    policy_.is_cancelled = false;
    policy_.retry_classes = FailureClasses::Retryable();
    policy_.retry_classes.Add(FailureClass::kCancelled);
    Ledger ledger = Ledger::Open(ledger_path_).value();
    const JobPlan plan(policy_);
    std::vector<ShardTrack> changed;
    const auto tracks = ledger.Tracks().value();
    for (ShardTrack track : tracks) {
      const bool is_merged = track.state == ShardState::kDone || track.state == ShardState::kMerged;
      const bool has_rows =
          !is_merged ||
          std::ranges::any_of(folder_.failures.at({track.shard, track.round}),
                              [&](const auto& row) { return classes.contains(row.second); });
      if (has_rows && plan.OnRetryAsked(track, classes)) {
        changed.push_back(track);
      }
    }
    ASSERT_TRUE(ledger.SaveAll(changed, {}).has_value());
  }

  void ExpectAllAccounted() {
    Ledger ledger = Ledger::Open(ledger_path_).value();
    const auto merges = ledger.Merges().value();
    const auto tracks = ledger.Tracks().value();
    ASSERT_EQ(tracks.size(), kShards);
    uint64_t values = 0;
    for (const ShardTrack& track : tracks) {
      ASSERT_EQ(track.state, ShardState::kDone) << track.shard;
      const auto& failures = folder_.failures.at({track.shard, track.round});
      for (const Ordinal row : RowsOf(track.shard)) {
        const bool has_value = folder_.values.contains(row);
        ASSERT_NE(has_value, failures.contains(row)) << "row " << row;
        ASSERT_TRUE(!has_value || folder_.values.at(row) == row) << "row " << row;
        values += has_value ? 1 : 0;
      }
      ASSERT_EQ(merges.at(track.shard).failed, failures.size());
    }
    uint64_t ok = 0;
    for (const auto& [shard, counts] : merges) {
      ok += counts.ok;
    }
    ASSERT_EQ(ok, values);
  }

  // No row is at the service twice at a time, and none that was delivered is asked again; what
  // nobody asked for was found, and is what the network sent twice by itself.
  void ExpectNothingBoughtTwice() {
    Ledger ledger = Ledger::Open(ledger_path_).value();
    const auto names = ledger.JobNames().value();
    const std::set<std::string> owned(names.begin(), names.end());
    std::set<std::string> surplus;
    const auto surplus_jobs = ledger.Surplus().value();
    for (const SurplusJob& job : surplus_jobs) {
      surplus.insert(job.job);
    }
    std::vector<const SimulatedJob*> ours;
    std::map<std::string, int> bought_at_will;  // by attempt, and beyond the one that is owned
    for (const SimulatedJob& job : service_.jobs()) {
      // Where a late request makes a job although its file is gone, the job reads nothing, fails
      // and costs nothing; it may come to be when nobody looks any more.
      if (job.rows.empty() && !owned.contains(job.name)) {
        free_ += 1;
        continue;
      }
      ASSERT_TRUE(owned.contains(job.name) != surplus.contains(job.name))
          << job.name << " " << job.display_name;
      if (owned.contains(job.name)) {
        ours.push_back(&job);
      }
      created_ += 1;
      bought_at_will[job.display_name] +=
          (job.is_repeat || job.rows.empty() ? 0 : 1) - (owned.contains(job.name) ? 1 : 0);
    }
    for (const auto& [attempt, jobs] : bought_at_will) {
      ASSERT_LE(jobs, 0) << attempt << " was bought and given up";
    }
    for (size_t later = 0; later < ours.size(); ++later) {
      for (size_t earlier = 0; earlier < later; ++earlier) {
        ExpectApart(*ours[earlier], *ours[later]);
      }
    }
  }

  // The process is stopped when so much time has passed.
  void StopAfter(std::chrono::hours time) { stop_at_ = clock_.Now() + time; }
  [[nodiscard]] size_t jobs_created() const { return created_; }
  [[nodiscard]] size_t jobs_owned() const {
    return Ledger::Open(ledger_path_).value().JobNames().value().size();
  }
  [[nodiscard]] ptrdiff_t jobs_bought() const {
    return std::ranges::count_if(service_.jobs(),
                                 [](const auto& job) { return !job.rows.empty(); });
  }
  [[nodiscard]] std::optional<std::string> audit() const {
    return Ledger::Open(ledger_path_).value().Get(kAuditKey).value();
  }
  // Of which nobody knows, and which cost nothing.
  [[nodiscard]] size_t jobs_for_free() const { return free_; }
  [[nodiscard]] SimulatedService& service() { return service_; }
  [[nodiscard]] MonotonicTime now() const { return clock_.Now(); }

  TrackerOptions tracker_options;

 private:
  static constexpr int kProcessesMax = 500;

  static std::vector<Ordinal> RowsOf(uint32_t shard) {
    std::vector<Ordinal> rows;
    for (Ordinal row = shard * kRowsOfShard; row < (shard + 1) * kRowsOfShard; ++row) {
      rows.push_back(row);
    }
    return rows;
  }

  static void ExpectApart(const SimulatedJob& earlier, const SimulatedJob& later) {
    for (const Ordinal row : later.rows) {
      if (std::ranges::find(earlier.rows, row) == earlier.rows.end()) {
        continue;
      }
      ASSERT_LE(earlier.ends, later.created) << earlier.name << " and " << later.name;
      const auto answer = earlier.answers.find(row);
      const bool delivered =
          earlier.has_results && answer != earlier.answers.end() && !answer->second.has_value();
      ASSERT_FALSE(delivered) << "row " << row << " of " << earlier.name << " was asked again";
    }
  }

  Result<void> OneProcess() {
    Ledger ledger = Ledger::Open(ledger_path_).value();
    const JobPlan plan(policy_);
    SimulatedLoop loop(clock_, service_, stop_at_);
    const std::unique_ptr<Provider> over_wire = wire_ ? wire_->MakeProvider().value() : nullptr;
    Provider& provider = wire_ ? *over_wire : service_;
    SimulatedDisk disk(service_, provider, folder_, policy_.retry_classes);
    Progress progress;
    StageTimes times;
    Tracker tracker(tracker_options, plan,
                    {.clock = clock_,
                     .provider = provider,
                     .disk = disk,
                     .progress = progress,
                     .times = times,
                     .loop = loop},
                    ledger);
    for (uint32_t shard = 0; shard < kShards; ++shard) {
      ShardEntry entry;
      entry.shard = shard;
      entry.range = {.first = shard * kRowsOfShard, .count = kRowsOfShard};
      tracker.AddShard(entry);
    }
    tracker.PackEnded({});
    try {
      return tracker.Run(loop.stop_token());
    } catch (const Killed&) {
      return Fail(ErrorCode::kUnfinished, "killed");
    }
  }

  SimulatedClock clock_;
  SimulatedService service_;
  const std::unique_ptr<SimulatedWire> wire_;
  Folder folder_;
  JobPolicy policy_;
  std::string ledger_path_;
  std::optional<MonotonicTime> stop_at_;
  size_t created_ = 0;
  size_t free_ = 0;
};

class SimulatedRunTest : public testing::Test {
 protected:
  SimulatedRunTest() { std::filesystem::create_directories(folder_); }
  ~SimulatedRunTest() override { std::filesystem::remove_all(folder_); }

  std::string NewLedger() {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    return (folder_ / "ledger.db").string();
  }

  std::filesystem::path folder_ = LedgerFolder();
};

class SimulationTest : public SimulatedRunTest, public testing::WithParamInterface<Backend> {};

TEST_P(SimulationTest, NothingIsBoughtTwiceOrLostWhateverHappens) {
  const uint64_t seeds = NumberFromEnvironment(
      "SLUICE_SIMULATION_SEEDS", GetParam() == Backend::kBare ? 2'000 : kSeedsOverWire);
  const uint64_t first = NumberFromEnvironment("SLUICE_SIMULATION_FIRST", 1);
  size_t jobs = 0;
  size_t for_free = 0;
  size_t calls = 0;
  std::chrono::duration<double, std::ratio<3'600>> simulated{0};
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Simulation simulation(GetParam(), seed, NewLedger(), {});
    const MonotonicTime begin = simulation.now();
    if (seed % 4 == 0) {
      simulation.CancelAndRetry();
    }
    auto error = simulation.GoOn();
    ASSERT_FALSE(error.has_value()) << error->message;
    if (seed % 3 == 0) {
      simulation.Retry(FailureClasses::All());
      error = simulation.GoOn();
      ASSERT_FALSE(error.has_value()) << error->message;
    }
    simulation.ExpectAllAccounted();
    simulation.ExpectNothingBoughtTwice();
    if (HasFatalFailure()) {
      return;
    }
    jobs += simulation.jobs_created();
    for_free += simulation.jobs_for_free();
    calls += simulation.service().calls();
    simulated += simulation.now() - begin;
  }
  fmt::print("{} runs, {} jobs and {} without an input, {} calls, {:.0f} hours each on average\n",
             seeds, jobs, for_free, calls, simulated.count() / static_cast<double>(seeds));
}

TEST_P(SimulationTest, AsksLittleOfAServiceThatIsAway) {
  SimulatedFaults faults;
  faults.kill = 0;
  faults.outages = 0;
  const bool is_bare = GetParam() == Backend::kBare;
  faults.call_fails = is_bare ? 1'000 : 0;
  Simulation simulation(GetParam(), 1, NewLedger(), faults);
  if (!is_bare) {
    simulation.service().GoAway(std::chrono::hours(100));
  }
  simulation.StopAfter(std::chrono::hours(72));
  ASSERT_TRUE(simulation.GoOn().has_value());
  // At most one a minute once it is known to be away; 72 hours have 4,320 of them.
  EXPECT_LE(simulation.service().calls(), 4'400u);
  EXPECT_GE(simulation.service().calls(), 1'000u);
}

TEST_P(SimulationTest, ACapOfJobsIsMetToTheLastOne) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    SimulatedFaults faults;
    faults.twice = 0;
    Simulation simulation(GetParam(), seed, NewLedger(), faults);
    simulation.tracker_options.cap.jobs_max = 2;
    const auto error = simulation.GoOn();
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->code, ErrorCode::kBudget) << error->message;
    // A job that found no input was asked for, too, when it is owned: it counts, and costs nothing.
    EXPECT_EQ(simulation.jobs_owned(), 2u);
    EXPECT_LE(simulation.jobs_bought(), 2);
    EXPECT_TRUE(simulation.jobs_bought() == 2 || IsVertex(GetParam()));
  }
}

// The rows are safe without it, but what nobody looked for is not said to be absent.
TEST_F(SimulatedRunTest, AnAuditThatCannotBeMadeIsTold) {
  for (const int list_fails : {0, 1'000}) {
    SimulatedFaults faults;
    // Nothing that only a list can settle.
    faults.late_effect = faults.no_effect = faults.lost_answer = 0;
    faults.kill = faults.call_fails = faults.outages = 0;
    faults.list_fails = list_fails;
    Simulation simulation(Backend::kBare, 1, NewLedger(), faults);
    ASSERT_FALSE(simulation.GoOn().has_value());
    simulation.ExpectAllAccounted();
    EXPECT_EQ(simulation.audit(), list_fails == 0 ? kAudited : "simulated");
  }
}

std::string NameOf(const testing::TestParamInfo<Backend>& tested) {
  switch (tested.param) {
    case Backend::kBare:
      return "Bare";
    case Backend::kGemini:
      return "Gemini";
    case Backend::kVertex:
      return "Vertex";
    case Backend::kTables:
      return "Tables";
  }
  return "";
}

INSTANTIATE_TEST_SUITE_P(Simulations, SimulationTest,
                         testing::Values(Backend::kBare, Backend::kGemini, Backend::kVertex,
                                         Backend::kTables),
                         NameOf);

}  // namespace
}  // namespace sluice
