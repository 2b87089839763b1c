#include "tests/engine/simulation/simulated_service.h"

#include <algorithm>
#include <fmt/format.h>

#include "io/file/file_system.h"

namespace sluice {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* kNamelessJob = "batches/nameless";

BatchJob Nameless() {
  BatchJob job;
  job.name = kNamelessJob;
  return job;
}

Error Broken(ErrorCode code) { return {.code = code, .message = "simulated"}; }

CreateAnswer Answer(CreateOutcome outcome, ErrorCode code) {
  return {.outcome = outcome, .job = {}, .error = Broken(code)};
}

}  // namespace

SimulatedService::SimulatedService(uint64_t seed, SimulatedClock& clock, SimulatedFaults faults,
                                   SimulatedHabits habits)
    : random_(seed), clock_(clock), faults_(faults), habits_(std::move(habits)) {
  traits_.name = "simulated";
  for (int i = 0; i < faults.outages; ++i) {
    const MonotonicTime begin = clock.Now() + seconds(Below(72 * 3'600));
    outages_.emplace_back(begin, begin + seconds(Below(12 * 3'600)));
  }
}

void SimulatedService::MayDie() {
  if (Chance(faults_.kill)) {
    throw Killed{};
  }
}

void SimulatedService::GoAway(hours time) {
  outages_.emplace_back(clock_.Now(), clock_.Now() + time);
}

void SimulatedService::BeginCall() {
  ++calls_;
  MayDie();
  Advance();
}

bool SimulatedService::IsOut() const {
  return std::ranges::any_of(outages_, [this](const auto& outage) {
    return outage.first <= clock_.Now() && clock_.Now() < outage.second;
  });
}

// What every call may meet before it is answered.
std::optional<Error> SimulatedService::CallFault() {
  BeginCall();
  if (IsOut()) {
    return Broken(Chance(500) ? ErrorCode::kTransport : ErrorCode::kNotSent);
  }
  if (Chance(faults_.call_fails)) {
    constexpr ErrorCode kCodes[] = {ErrorCode::kUnavailable, ErrorCode::kTransport,
                                    ErrorCode::kBadAnswer, ErrorCode::kNotSent};
    return Broken(kCodes[Below(std::size(kCodes))]);
  }
  return std::nullopt;
}

bool SimulatedService::HasFile(const std::string& name) const {
  const auto found = files_.find(name);
  return found != files_.end() && clock_.Now() < found->second.expires;
}

void SimulatedService::KeepFile(const std::string& name, const std::string& identity,
                                std::vector<Ordinal> rows) {
  const MonotonicTime expires =
      habits_.file_life ? clock_.Now() + *habits_.file_life : MonotonicTime::max();
  files_.try_emplace(name, File{.identity = identity, .rows = std::move(rows), .expires = expires});
}

void SimulatedService::DropFile(const std::string& name) { files_.erase(name); }

Result<std::string> SimulatedService::Stage(const StageSource& source, const std::string& file_id,
                                            const ByteProgress&, std::stop_token) {
  if (const auto fault = CallFault()) {
    return std::unexpected(*fault);
  }
  const std::string name = "files/" + file_id;
  if (Chance(10) && !HasFile(name)) {
    return Fail(ErrorCode::kConflict, "simulated: other bytes bear the name");
  }
  if (HasFile(name) && files_.at(name).identity != source.identity) {
    return Fail(ErrorCode::kConflict, "simulated: other content");
  }
  KeepFile(name, source.identity, contents.at(source.identity));
  MayDie();
  if (Chance(50)) {
    return std::unexpected(Broken(ErrorCode::kTransport));  // it is there all the same
  }
  return name;
}

CreateAnswer SimulatedService::CreateJob(const CreateJobRequest& request, std::stop_token) {
  MayDie();
  if (const auto fault = CallFault()) {
    return Answer(
        fault->code == ErrorCode::kNotSent ? CreateOutcome::kNotSent : CreateOutcome::kUnknown,
        fault->code);
  }
  if (!HasFile(request.staged_file)) {
    return Answer(CreateOutcome::kRefused, ErrorCode::kConflict);
  }
  Request effect{
      .file = request.staged_file, .display_name = request.display_name, .effect = clock_.Now()};
  if (Chance(faults_.late_effect)) {
    effect.effect += seconds(Below(3 * 3'600));
    pending_.push_back(effect);
    return Answer(CreateOutcome::kUnknown, ErrorCode::kTransport);
  }
  if (Chance(faults_.no_effect)) {
    return Answer(CreateOutcome::kUnknown, ErrorCode::kUnavailable);
  }
  const SimulatedJob made = MakeJob(effect.file, effect.display_name, false);
  if (Chance(faults_.twice)) {
    effect.effect += seconds(Below(5));
    effect.is_repeat = true;
    pending_.push_back(effect);
  }
  MayDie();
  if (Chance(faults_.lost_answer)) {
    return Answer(CreateOutcome::kUnknown,
                  Chance(500) ? ErrorCode::kTransport : ErrorCode::kUnavailable);
  }
  return {.outcome = CreateOutcome::kCreated, .job = View(made, true), .error = {}};
}

// Requests that arrive make a job only while their file is there; jobs that were made read it.
void SimulatedService::Advance() {
  std::vector<Request> due;
  std::erase_if(pending_, [&](const Request& request) {
    if (request.effect > clock_.Now()) {
      return false;
    }
    due.push_back(request);
    return true;
  });
  for (const Request& request : due) {
    if (HasFile(request.file)) {
      MakeJob(request.file, request.display_name, request.is_repeat);
    }
  }
  for (SimulatedJob& job : jobs_) {
    if (!job.has_read && job.reads <= clock_.Now()) {
      ReadFile(job);
    }
  }
}

const SimulatedJob& SimulatedService::MakeJob(const std::string& file,
                                              const std::string& display_name, bool is_repeat) {
  SimulatedJob job;
  job.name = fmt::format("{}{}", habits_.job_prefix, jobs_.size());
  job.display_name = display_name;
  job.source_file = file;
  job.is_repeat = is_repeat;
  // What it will read counts as bought from the start: nobody knows before it was read.
  job.rows = HasFile(file) ? files_.at(file).rows : std::vector<Ordinal>();
  job.created = clock_.Now();
  if (!habits_.reads_at_create) {
    job.has_read = false;
    job.reads = job.created + seconds(Below(300));
  }
  job.visible = job.created + seconds(Below(90));
  job.ends = job.created + minutes(5) + seconds(Below(30 * 3'600));
  job.empty_looks = Chance(100) ? 2 : 0;
  DecideEnd(job);
  DecideAnswers(job);
  jobs_.push_back(std::move(job));
  return jobs_.back();
}

// A job that was cancelled before it began reads nothing, but may be paid for nevertheless.
void SimulatedService::ReadFile(SimulatedJob& job) {
  job.has_read = true;
  if (HasFile(job.source_file) || job.ends <= job.reads) {
    return;
  }
  job.rows.clear();
  job.answers.clear();
  job.end = JobState::kFailed;
  job.ends = job.reads;
  job.error_code = 3;
  job.has_results = false;
}

void SimulatedService::DecideEnd(SimulatedJob& job) {
  if (!Chance(faults_.bad_end)) {
    return;
  }
  switch (Below(4)) {
    case 0:
      job.end = JobState::kExpired;
      job.ends = job.created + hours(48);
      break;
    case 1:
      job.end = JobState::kFailed;
      job.error_code = Chance(800) ? 8 : 3;
      break;
    case 2:
      job.end = JobState::kCancelled;  // by somebody else
      break;
    default:
      job.end = JobState::kPartiallySucceeded;
      break;
  }
  job.has_results = job.end == JobState::kPartiallySucceeded || Chance(500);
}

void SimulatedService::DecideAnswers(SimulatedJob& job) {
  constexpr FailureClass kClasses[] = {FailureClass::kTransient, FailureClass::kQuota,
                                       FailureClass::kBlocked, FailureClass::kInvalid,
                                       FailureClass::kMalformed};
  const bool is_partial = job.end != JobState::kSucceeded;
  const bool has_failures = Chance(faults_.failed_rows);
  for (const Ordinal row : job.rows) {
    if (is_partial && Chance(400)) {
      continue;  // not answered
    }
    const bool fails = has_failures && Chance(400);
    job.answers[row] = fails ? std::optional(kClasses[Below(std::size(kClasses))]) : std::nullopt;
  }
}

SimulatedJob* SimulatedService::Find(const std::string& name) {
  const auto found = std::ranges::find(jobs_, name, &SimulatedJob::name);
  return found == jobs_.end() ? nullptr : &*found;
}

BatchJob SimulatedService::View(const SimulatedJob& job, bool whole) const {
  BatchJob view;
  view.name = job.name;
  view.display_name = job.display_name;
  view.source_file = job.source_file;
  view.create_time = fmt::format("{:020}", job.created.time_since_epoch().count());
  const bool has_ended = job.ends <= clock_.Now();
  view.state = has_ended ? job.end : JobState::kRunning;
  view.raw_state = "BATCH_STATE_" + std::string(JobStateName(view.state));
  view.done = has_ended;
  if (has_ended && job.has_results && whole) {
    view.result_file = "files/batch-" + job.name.substr(job.name.find('/') + 1);
  }
  if (has_ended && job.error_code != 0) {
    view.error = JobError{.code = job.error_code, .message = "simulated"};
  }
  return view;
}

Result<BatchJob> SimulatedService::GetJob(const std::string& name, std::stop_token) {
  if (const auto fault = CallFault()) {
    return std::unexpected(*fault);
  }
  if (name == kNamelessJob) {
    return Nameless();
  }
  const Seen seen = See(name);
  if (seen.job == nullptr) {
    return Fail(ErrorCode::kNotFound, "simulated: not readable yet");
  }
  return View(*seen.job, seen.shows_results);
}

SimulatedService::Seen SimulatedService::See(const std::string& name) {
  SimulatedJob* const job = Find(name);
  if (job == nullptr || (job->visible > clock_.Now() && Chance(500))) {
    return {};
  }
  return {.job = job, .shows_results = job->ends > clock_.Now() || job->empty_looks-- <= 0};
}

SimulatedService::Listed SimulatedService::List(const std::string& page_token) const {
  constexpr size_t kPage = 3;
  const size_t first = page_token.empty() ? 0 : std::stoul(page_token);
  Listed listed;
  for (size_t i = first; i < std::min(first + kPage, jobs_.size()); ++i) {
    const SimulatedJob& job = jobs_[jobs_.size() - 1 - i];
    listed.jobs.push_back(job.visible <= clock_.Now() ? &job : nullptr);
  }
  listed.next = first + kPage < jobs_.size() ? std::to_string(first + kPage) : "";
  return listed;
}

Result<JobPage> SimulatedService::ListJobs(const std::string& page_token, std::stop_token) {
  if (const auto fault = CallFault()) {
    return std::unexpected(*fault);
  }
  if (faults_.list_fails > 0 && Chance(faults_.list_fails)) {
    return std::unexpected(Broken(ErrorCode::kUnavailable));
  }
  const Listed listed = List(page_token);
  JobPage page;
  // The jobs of others are among ours, and some bear no name; of ours the list may lack it.
  for (size_t i = 0; i < listed.jobs.size(); ++i) {
    if (listed.jobs[i] != nullptr) {
      page.jobs.push_back(View(*listed.jobs[i], true));
      if (Chance(50)) {
        page.jobs.back().display_name.clear();
        page.jobs.back().source_file.clear();
      }
    }
    if (Chance(100)) {
      page.jobs.push_back(Nameless());
    }
    BatchJob foreign;
    foreign.name = fmt::format("batches/foreign{}-{}", page_token, i);
    foreign.display_name = "sluice/ffffffffffff/0/1";
    page.jobs.push_back(std::move(foreign));
  }
  page.next_page_token = listed.next;
  return page;
}

void SimulatedService::EndByCancel(SimulatedJob& job) {
  job.end = JobState::kCancelled;
  job.ends = clock_.Now() + seconds(Below(120));
  job.error_code = 1;
  job.has_results = Chance(500);
  std::erase_if(job.answers, [this](const auto&) { return Chance(500); });
}

Result<void> SimulatedService::CancelJob(const std::string& name, std::stop_token) {
  if (const auto fault = CallFault()) {
    return std::unexpected(*fault);
  }
  SimulatedJob* const job = Find(name);
  if (job != nullptr && job->ends > clock_.Now()) {
    EndByCancel(*job);
  }
  MayDie();
  return {};
}

Result<void> SimulatedService::DeleteJob(const std::string&, std::stop_token) { return {}; }

Result<void> SimulatedService::DeleteFile(const std::string& name, std::stop_token) {
  if (const auto fault = CallFault()) {
    return std::unexpected(*fault);
  }
  DropFile(name);
  MayDie();
  if (Chance(faults_.call_fails)) {
    return std::unexpected(Broken(ErrorCode::kTransport));  // it is gone all the same
  }
  return {};
}

bool SimulatedService::HasAnswers(const SimulatedJob& job) const {
  return job.ends <= clock_.Now() && job.has_results;
}

Result<const SimulatedJob*> SimulatedService::Fetch(const std::string& name) {
  if (const auto fault = CallFault()) {
    return std::unexpected(*fault);
  }
  const SimulatedJob* const job = Find(name);
  if (job == nullptr || !HasAnswers(*job)) {
    return Fail(ErrorCode::kNotFound, "simulated: no answers");
  }
  return job;
}

Result<uint64_t> SimulatedService::FetchAnswers(const BatchJob& job, const BodyWriter& writer,
                                                const std::function<Result<void>()>&,
                                                std::stop_token) {
  SLUICE_ASSIGN(const SimulatedJob* const found, Fetch(job.name));
  const std::string lines = FormatAnswerLines(found->answers);
  SLUICE_TRY(writer(AsBytes(lines)));
  return lines.size();
}

Result<std::vector<float>> SimulatedService::EmbedText(const std::string&, const std::string&, int,
                                                       std::stop_token) {
  return Fail(ErrorCode::kInternal, "not a part of runs");
}

}  // namespace sluice
