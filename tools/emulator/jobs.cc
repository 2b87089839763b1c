#include "tools/emulator/jobs.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "io/json/json_document.h"
#include "tools/emulator/google_error.h"
#include "tools/emulator/mix.h"
#include "tools/emulator/random_id.h"
#include "tools/emulator/state_file.h"
#include "tools/emulator/timestamp.h"

namespace sluice {

namespace {

using OrderedJson = nlohmann::ordered_json;

// 36 characters in every job seen on the wire.
constexpr size_t kJobIdLength = 36;
// How long a runner sleeps when no job waits; a new job wakes it at once.
constexpr std::chrono::hours kIdleSleep{1};

std::string DocumentText(const Job& job) {
  return OrderedJson{{"id", job.id},
                     {"model", job.model},
                     {"use", static_cast<int>(job.use)},
                     {"display_name", job.display_name},
                     {"input_file", job.input_file},
                     {"priority", job.priority},
                     {"create_ns", job.create_ns},
                     {"update_ns", job.update_ns},
                     {"end_ns", job.end_ns},
                     {"state", static_cast<int>(job.state)},
                     {"fate", static_cast<int>(job.fate)},
                     {"request_count", job.request_count},
                     {"input_tokens", job.input_tokens},
                     {"success_count", job.success_count},
                     {"failure_count", job.failure_count},
                     {"cancel_asked", job.cancel_asked},
                     {"has_results", job.has_results},
                     {"error_code", job.error_code},
                     {"error_message", job.error_message},
                     {"start_ns", job.start_ns},
                     {"location", job.cloud.location},
                     {"model_path", job.cloud.model_path},
                     {"source", job.cloud.source},
                     {"destination", job.cloud.destination},
                     {"result", job.cloud.result},
                     {"labels", job.cloud.labels}}
      .dump();
}

Result<Job> ParseJob(const std::string& text, const std::string& path) {
  const OrderedJson json = ParseOrderedJson(text);
  if (!json.is_object()) {
    return Fail(ErrorCode::kIo, fmt::format("'{}' is not a document of the service", path));
  }
  Job job;
  job.id = json.value("id", "");
  job.model = json.value("model", "");
  job.use = static_cast<ModelUse>(json.value("use", 0));
  job.display_name = json.value("display_name", "");
  job.input_file = json.value("input_file", "");
  job.priority = json.value("priority", int64_t{0});
  job.create_ns = json.value("create_ns", int64_t{0});
  job.update_ns = json.value("update_ns", int64_t{0});
  job.end_ns = json.value("end_ns", int64_t{0});
  job.state = static_cast<EmulatedState>(json.value("state", 0));
  job.fate = static_cast<JobFate>(json.value("fate", 0));
  job.request_count = json.value("request_count", uint64_t{0});
  job.input_tokens = json.value("input_tokens", uint64_t{0});
  job.success_count = json.value("success_count", uint64_t{0});
  job.failure_count = json.value("failure_count", uint64_t{0});
  job.cancel_asked = json.value("cancel_asked", false);
  job.has_results = json.value("has_results", false);
  job.error_code = json.value("error_code", 0);
  job.error_message = json.value("error_message", "");
  job.start_ns = json.value("start_ns", int64_t{0});
  job.cloud = {.location = json.value("location", ""),
               .model_path = json.value("model_path", ""),
               .source = json.value("source", ""),
               .destination = json.value("destination", ""),
               .result = json.value("result", ""),
               .labels = json.value("labels", std::map<std::string, std::string>())};
  return job;
}

}  // namespace

std::string_view EmulatedStateName(EmulatedState state) {
  switch (state) {
    case EmulatedState::kPending:
      return "PENDING";
    case EmulatedState::kRunning:
      return "RUNNING";
    case EmulatedState::kSucceeded:
      return "SUCCEEDED";
    case EmulatedState::kFailed:
      return "FAILED";
    case EmulatedState::kCancelled:
      return "CANCELLED";
    case EmulatedState::kExpired:
      return "EXPIRED";
    case EmulatedState::kPartiallySucceeded:
      return "PARTIALLY_SUCCEEDED";
  }
  return "UNSPECIFIED";
}

Jobs::Jobs(FileSystem& files, std::string folder, Clock& clock, JobTiming timing)
    : files_(files), folder_(std::move(folder)), clock_(clock), timing_(timing) {}

Result<std::unique_ptr<Jobs>> Jobs::Open(FileSystem& files, std::string folder, Clock& clock,
                                         JobTiming timing) {
  SLUICE_TRY(files.MakeFolders(folder));
  auto jobs = std::make_unique<Jobs>(files, std::move(folder), clock, timing);
  SLUICE_TRY(jobs->Load());
  return jobs;
}

Result<void> Jobs::Load() {
  SLUICE_ASSIGN(const auto names, files_.List(folder_));
  for (const std::string& name : names) {
    const std::string path = folder_ + "/" + name;
    if (name.ends_with(".json")) {
      SLUICE_ASSIGN(const std::string text, ReadStateFile(files_, path));
      SLUICE_ASSIGN(Job job, ParseJob(text, path));
      last_create_ns_ = std::max(last_create_ns_, job.create_ns);
      // What ran when the process ended is run again, without waiting once more.
      const MonotonicTime due = job.state == EmulatedState::kRunning ? clock_.Now() : DueTime(job);
      if (job.state == EmulatedState::kRunning) {
        job.state = EmulatedState::kPending;
      }
      entries_[job.id] = {.job = job, .due = due};
    }
  }
  return {};
}

Result<void> Jobs::Save(const Job& job) {
  return ReplaceStateFile(files_, PathOf(job.id, ".json"), DocumentText(job));
}

std::string Jobs::PathOf(const std::string& id, std::string_view suffix) const {
  return fmt::format("{}/{}{}", folder_, id, suffix);
}

std::string Jobs::InputPath(const std::string& id) const { return PathOf(id, ".input.jsonl"); }

std::string Jobs::ResultsPath(const std::string& id) const { return PathOf(id, ".results"); }

MonotonicTime Jobs::DueTime(const Job& job) {
  const auto range = timing_.latency_max - timing_.latency_min;
  const double share = ShareAt(timing_.seed, HashText(job.id, 0));
  return clock_.Now() + timing_.latency_min +
         std::chrono::milliseconds(
             static_cast<int64_t>(share * static_cast<double>(range.count())));
}

Result<Job> Jobs::Create(Job job, std::string_view inlined_input) {
  job.id = job.id.empty() ? RandomId(kJobIdLength) : job.id;
  if (!inlined_input.empty()) {
    SLUICE_TRY(ReplaceStateFile(files_, InputPath(job.id), inlined_input));
  }
  const std::scoped_lock lock(mutex_);
  last_create_ns_ = std::max(last_create_ns_ + 1, UnixNanoseconds(clock_.WallNow()));
  job.create_ns = last_create_ns_;
  job.update_ns = job.create_ns;
  SLUICE_TRY(Save(job));
  entries_[job.id] = {.job = job, .due = DueTime(job)};
  changed_.request_stop();
  return job;
}

void Jobs::ExpireOld() {
  const int64_t now = UnixNanoseconds(clock_.WallNow());
  const int64_t lifetime_ns = std::chrono::nanoseconds(timing_.lifetime).count();
  for (auto& [id, entry] : entries_) {
    Job& job = entry.job;
    if (!job.ended() && job.create_ns + lifetime_ns <= now) {
      job.state = EmulatedState::kExpired;
      job.end_ns = job.create_ns + lifetime_ns;
      job.update_ns = job.end_ns;
      (void)Save(job);
    }
  }
}

std::optional<Job> Jobs::Find(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  ExpireOld();
  const auto found = entries_.find(id);
  return found == entries_.end() ? std::nullopt : std::optional(found->second.job);
}

EmulatedJobPage Jobs::List(int64_t before_ns, int64_t listed_until_ns, size_t count,
                           const std::function<bool(const Job&)>& wanted) {
  const std::scoped_lock lock(mutex_);
  ExpireOld();
  EmulatedJobPage page;
  for (const auto& [id, entry] : entries_) {
    if (entry.job.create_ns < before_ns && entry.job.create_ns <= listed_until_ns &&
        (!wanted || wanted(entry.job))) {
      page.jobs.push_back(entry.job);
    }
  }
  std::ranges::sort(page.jobs, std::ranges::greater(), &Job::create_ns);
  page.more = page.jobs.size() > count;
  page.jobs.resize(std::min(page.jobs.size(), count));
  return page;
}

size_t Jobs::ActiveCount() {
  const std::scoped_lock lock(mutex_);
  ExpireOld();
  return static_cast<size_t>(
      std::ranges::count_if(entries_, [](const auto& entry) { return !entry.second.job.ended(); }));
}

uint64_t Jobs::ActiveTokens(const std::string& model) {
  const std::scoped_lock lock(mutex_);
  ExpireOld();
  uint64_t tokens = 0;
  for (const auto& [id, entry] : entries_) {
    tokens += entry.job.model == model && !entry.job.ended() ? entry.job.input_tokens : 0;
  }
  return tokens;
}

Result<bool> Jobs::Cancel(const std::string& id, bool as_success) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) {
    return false;
  }
  Job& job = found->second.job;
  if (job.ended()) {
    return true;
  }
  job.cancel_asked = true;
  job.update_ns = UnixNanoseconds(clock_.WallNow());
  if (job.state == EmulatedState::kPending && as_success) {
    job.fate = JobFate::kRun;
    found->second.due = clock_.Now();
    changed_.request_stop();
  } else if (job.state == EmulatedState::kPending) {
    job.state = EmulatedState::kCancelled;
    job.end_ns = job.update_ns;
    job.error_code = static_cast<int>(RpcCode::kInternal);
    job.error_message = "Batch was cancelled.";
  }
  SLUICE_TRY(Save(job));
  return true;
}

Result<std::optional<Job>> Jobs::Remove(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) {
    return std::nullopt;
  }
  const Job job = found->second.job;
  entries_.erase(found);
  for (const std::string& path : {PathOf(id, ".json"), InputPath(id), ResultsPath(id)}) {
    SLUICE_TRY(files_.Remove(path));
  }
  return job;
}

Result<std::optional<Job>> Jobs::Rename(const std::string& id,
                                        std::optional<std::string> display_name,
                                        std::optional<int64_t> priority) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end()) {
    return std::nullopt;
  }
  Job& job = found->second.job;
  job.display_name = display_name.value_or(job.display_name);
  job.priority = priority.value_or(job.priority);
  job.update_ns = UnixNanoseconds(clock_.WallNow());
  SLUICE_TRY(Save(job));
  return job;
}

// The due job of the highest priority, the oldest first; null when none is due.
Jobs::Entry* Jobs::FindDue(MonotonicTime now, std::optional<MonotonicTime>& next_due) {
  Entry* best = nullptr;
  for (auto& [id, entry] : entries_) {
    if (entry.job.state != EmulatedState::kPending || entry.job.fate == JobFate::kStuck) {
      continue;
    }
    if (entry.due > now) {
      next_due = std::min(next_due.value_or(entry.due), entry.due);
    } else if (best == nullptr || entry.job.priority > best->job.priority ||
               (entry.job.priority == best->job.priority &&
                entry.job.create_ns < best->job.create_ns)) {
      best = &entry;
    }
  }
  return best;
}

std::optional<Job> Jobs::TakeDue(std::stop_token stop) {
  while (!stop.stop_requested()) {
    MonotonicTime wake_at = clock_.Now() + kIdleSleep;
    std::stop_source changed;
    {
      const std::scoped_lock lock(mutex_);
      ExpireOld();
      std::optional<MonotonicTime> next_due;
      Entry* due = FindDue(clock_.Now(), next_due);
      if (due != nullptr) {
        due->job.state = EmulatedState::kRunning;
        due->job.update_ns = UnixNanoseconds(clock_.WallNow());
        due->job.start_ns = due->job.update_ns;
        (void)Save(due->job);
        return due->job;
      }
      wake_at = next_due.value_or(wake_at);
      if (changed_.stop_requested()) {
        changed_ = std::stop_source();
      }
      changed = changed_;
    }
    const std::stop_callback wake(stop, [&changed] { changed.request_stop(); });
    clock_.SleepUntil(wake_at, changed.get_token());
  }
  return std::nullopt;
}

JobOrder Jobs::NoteProgress(const std::string& id, uint64_t success_count, uint64_t failure_count) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.job.ended()) {
    return JobOrder::kGiveUp;
  }
  Job& job = found->second.job;
  job.success_count = success_count;
  job.failure_count = failure_count;
  job.update_ns = UnixNanoseconds(clock_.WallNow());
  return job.cancel_asked ? JobOrder::kServeNoMore : JobOrder::kGoOn;
}

Result<void> Jobs::End(const Job& outcome) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(outcome.id);
  if (found == entries_.end() || found->second.job.ended()) {
    return {};
  }
  Job& job = found->second.job;
  job.state = outcome.state;
  job.success_count = outcome.success_count;
  job.failure_count = outcome.failure_count;
  job.has_results = outcome.has_results;
  job.cloud.result = outcome.cloud.result;
  job.request_count = outcome.request_count;
  job.error_code = outcome.error_code;
  job.error_message = outcome.error_message;
  job.end_ns = UnixNanoseconds(clock_.WallNow());
  job.update_ns = job.end_ns;
  return Save(job);
}

}  // namespace sluice
