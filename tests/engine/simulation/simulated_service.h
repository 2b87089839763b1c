// A batch service on simulated time, as unkind as the real ones have been seen to be: answers get
// lost, effects come late or twice, lists lag, jobs end in every way, nothing answers for hours. It
// keeps an account book by which a test can say what was bought. It is a Provider itself; a
// SimulatedWire makes an HTTP service of its account book, for the providers that there are. One
// thread.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "api/provider/provider.h"
#include "io/record/ordinal.h"
#include "tests/engine/simulation/simulated_lines.h"

namespace sluice {

// The process ends here, as by kill -9.
struct Killed {};

class SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(uint64_t seed) : wall_(seed) {}
  [[nodiscard]] MonotonicTime Now() const override { return now_; }
  // Jumps about by up to a year: nothing may depend on it.
  [[nodiscard]] WallTime WallNow() const override {
    return WallTime{} +
           std::chrono::hours(int64_t{24} * 365 * 56 + static_cast<int64_t>(wall_() % 17'520));
  }
  bool SleepUntil(MonotonicTime deadline, std::stop_token) override {
    AdvanceTo(deadline);
    return true;
  }
  void AdvanceTo(MonotonicTime time) { now_ = std::max(now_, time); }

 private:
  MonotonicTime now_{std::chrono::hours(1'000)};
  mutable std::mt19937_64 wall_;
};

// Chances are in per mille of the occasions.
struct SimulatedFaults {
  int kill = 2;  // at any call, before or after its effect
  int lost_answer = 250;
  int late_effect = 100;
  int no_effect = 50;  // and no answer that says so: 429 or 503
  int twice = 30;
  int call_fails = 60;
  int list_fails = 0;     // beyond call_fails
  int failed_rows = 400;  // of jobs
  int bad_end = 250;      // of jobs
  int outages = 2;        // of a run
};

// What differs between services.
struct SimulatedHabits {
  std::string job_prefix = "batches/j";  // of a job's name; the number that it is follows
  std::optional<std::chrono::hours> file_life{48};
  // Looks for the file when a job is asked for, and makes none without it. Else it makes any job,
  // which reads its file within minutes, and fails for nothing when there is none.
  bool reads_at_create = true;
};

struct SimulatedJob {
  std::string name, display_name, source_file;
  std::vector<Ordinal> rows;  // that are paid for: none when the file was gone before it was read
  MonotonicTime created, reads, visible, ends;
  JobState end = JobState::kSucceeded;
  int error_code = 0;
  bool has_results = true;
  bool has_read = true;
  bool is_repeat = false;  // of a request that the network sent two times
  SimulatedAnswers answers;
  int empty_looks = 0;  // that show no results yet
};

class SimulatedService final : public Provider {
 public:
  SimulatedService(uint64_t seed, SimulatedClock& clock, SimulatedFaults faults,
                   SimulatedHabits habits = {});

  // What a file holds: by StageSource::identity.
  std::map<std::string, std::vector<Ordinal>> contents;

  [[nodiscard]] const ProviderTraits& traits() const override { return traits_; }
  [[nodiscard]] std::string account_fingerprint() const override { return "simulated"; }
  [[nodiscard]] Result<std::string> Stage(const StageSource& source, const std::string& file_id,
                                          const ByteProgress& progress,
                                          std::stop_token stop) override;
  [[nodiscard]] CreateAnswer CreateJob(const CreateJobRequest& request,
                                       std::stop_token stop) override;
  [[nodiscard]] Result<BatchJob> GetJob(const std::string& name, std::stop_token stop) override;
  [[nodiscard]] Result<JobPage> ListJobs(const std::string& page_token,
                                         std::stop_token stop) override;
  [[nodiscard]] Result<void> CancelJob(const std::string& name, std::stop_token stop) override;
  [[nodiscard]] Result<void> DeleteJob(const std::string& name, std::stop_token stop) override;
  [[nodiscard]] Result<void> DeleteFile(const std::string& name, std::stop_token stop) override;
  [[nodiscard]] Result<uint64_t> FetchAnswers(const BatchJob& job, const BodyWriter& writer,
                                              const std::function<Result<void>()>& restart,
                                              std::stop_token stop) override;
  [[nodiscard]] Result<std::vector<float>> EmbedText(const std::string& model,
                                                     const std::string& text, int dimension,
                                                     std::stop_token stop) override;

  // The account book: every job that ever came to be.
  [[nodiscard]] const std::vector<SimulatedJob>& jobs() const { return jobs_; }
  [[nodiscard]] SimulatedJob* Find(const std::string& name);

  // What calls do once their faults are over with.
  void BeginCall();
  [[nodiscard]] bool IsOut() const;
  [[nodiscard]] bool HasFile(const std::string& name) const;
  void KeepFile(const std::string& name, const std::string& identity, std::vector<Ordinal> rows);
  void DropFile(const std::string& name);
  const SimulatedJob& MakeJob(const std::string& file, const std::string& display_name,
                              bool is_repeat);
  void EndByCancel(SimulatedJob& job);
  // Whether answers of `job` may be had by now.
  [[nodiscard]] bool HasAnswers(const SimulatedJob& job) const;
  // What a call for one job shows: no job while it is not readable yet, which is by chance, and its
  // results a few looks late.
  struct Seen {
    SimulatedJob* job = nullptr;
    bool shows_results = false;
  };
  [[nodiscard]] Seen See(const std::string& name);
  // Newest first, and a few at a time; `next` is empty at the end.
  struct Listed {
    std::vector<const SimulatedJob*> jobs;  // nothing: one that does not show yet
    std::string next;
  };
  [[nodiscard]] Listed List(const std::string& page_token) const;

  // It answers nothing for so long from now.
  void GoAway(std::chrono::hours time);
  [[nodiscard]] const SimulatedFaults& faults() const { return faults_; }
  [[nodiscard]] bool Chance(int per_mille) {
    return static_cast<int>(random_() % 1'000) < per_mille;
  }
  [[nodiscard]] uint64_t Below(uint64_t bound) { return random_() % bound; }
  void MayDie();
  [[nodiscard]] size_t calls() const { return calls_; }

 private:
  struct File {
    std::string identity;
    std::vector<Ordinal> rows;
    MonotonicTime expires;
  };
  struct Request {
    std::string file, display_name;
    MonotonicTime effect;
    bool is_repeat = false;
  };

  [[nodiscard]] std::optional<Error> CallFault();
  // The job whose answers somebody fetches; may fail as a call does.
  [[nodiscard]] Result<const SimulatedJob*> Fetch(const std::string& name);
  void Advance();
  void ReadFile(SimulatedJob& job);
  void DecideEnd(SimulatedJob& job);
  void DecideAnswers(SimulatedJob& job);
  [[nodiscard]] BatchJob View(const SimulatedJob& job, bool whole) const;

  std::mt19937_64 random_;
  SimulatedClock& clock_;
  SimulatedFaults faults_;
  SimulatedHabits habits_;
  ProviderTraits traits_;
  std::map<std::string, File> files_;
  std::vector<Request> pending_;
  std::vector<SimulatedJob> jobs_;
  size_t calls_ = 0;
  std::vector<std::pair<MonotonicTime, MonotonicTime>> outages_;
};

}  // namespace sluice
