// What a program that uses the library sees of every fault switch of the local service: the right
// result, or one clear error; never two jobs, never half a result that passes for a whole one.
#include <algorithm>
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <thread>

#include "api/bigquery/bigquery_client.h"
#include "api/files/sha256.h"
#include "api/storage/object_name.h"
#include "tests/support/collected_bytes.h"
#include "tests/support/local_client.h"
#include "tests/support/local_cloud.h"
#include "tools/emulator/faults.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kModel = "gemini-embedding-001";
constexpr int kCount = 200;

CreateJobRequest JobOver(const std::string& file) {
  return {.model = kModel, .staged_file = file, .display_name = "a job"};
}

CreateJobRequest InlineJob(int count) {
  return {
      .model = kModel, .inline_requests = LocalClient::Requests(count), .display_name = "a job"};
}

BatchJob Created(LocalClient& local, const CreateJobRequest& request) {
  const CreateAnswer answer = local.batches().CreateEmbeddings(request);
  EXPECT_EQ(answer.outcome, CreateOutcome::kCreated) << answer.error->message;
  return answer.job;
}

std::string Uploaded(LocalClient& local, const std::string& content) {
  const auto uploaded = local.files().UploadBytes(content);
  EXPECT_TRUE(uploaded.has_value()) << uploaded.error().message;
  return uploaded.has_value() ? uploaded->file.name : "";
}

// A job over an uploaded file, ended.
BatchJob Ended(LocalClient& local, int count = kCount) {
  const BatchJob job = Created(local, JobOver(Uploaded(local, LocalClient::Lines(count))));
  const auto ended = local.Wait(job);
  EXPECT_TRUE(ended.has_value()) << ended.error().message;
  return ended.value_or(BatchJob());
}

std::vector<JobResponse> Responses(LocalClient& local, const BatchJob& job) {
  auto responses = local.batches().GetResponses(job);
  EXPECT_TRUE(responses.has_value()) << responses.error().message;
  return std::move(responses).value_or(std::vector<JobResponse>());
}

std::set<std::string> KeysOf(const std::vector<JobResponse>& responses) {
  std::set<std::string> keys;
  for (const JobResponse& response : responses) {
    EXPECT_EQ(response.ok(), response.vector.size() == 8) << response.json;
    keys.insert(response.key);
  }
  return keys;
}

void ExpectAll(const std::vector<JobResponse>& responses, int count = kCount) {
  EXPECT_EQ(responses.size(), static_cast<size_t>(count));
  EXPECT_EQ(KeysOf(responses).size(), static_cast<size_t>(count));
  EXPECT_TRUE(std::ranges::all_of(responses, &JobResponse::ok));
}

// The jobs that the service lists, to the last page.
std::vector<BatchJob> Listed(LocalClient& local) {
  std::vector<BatchJob> jobs;
  auto list = local.batches().ListAll({.page_size = 2});
  for (auto job = list.Next(); job.has_value() && job->has_value(); job = list.Next()) {
    jobs.push_back(**job);
  }
  return jobs;
}

// Looks until the service lists a job, for at most a minute.
std::vector<BatchJob> AwaitListed(LocalClient& local) {
  for (int i = 0; i < 6000; ++i) {
    if (auto jobs = Listed(local); !jobs.empty()) {
      return jobs;
    }
    std::this_thread::sleep_for(milliseconds(10));
  }
  return {};
}

// A client of the same service that waits for no answer longer than that.
std::unique_ptr<Client> Impatient(const LocalClient& local, milliseconds patience) {
  return MakeClient({.api_key = kTestKey,
                     .base_url = local.emulator->base_url(),
                     .request_timeout = patience,
                     .retry = {.attempts_max = 5, .first_wait = milliseconds(1)}})
      .value();
}

void ExpectWholeJob(std::vector<std::string> faults) {
  LocalClient local(std::move(faults));
  ExpectAll(Responses(local, Ended(local)));
  EXPECT_EQ(local.emulator->counters().jobs_created, 1U);
}

void ExpectWholeUpload(std::vector<std::string> faults) {
  LocalClient local(std::move(faults));
  const std::string content = LocalClient::Lines(30'000);
  ASSERT_GT(content.size(), 2'500'000U);
  const auto uploaded = local.files().UploadBytes(content);
  ASSERT_TRUE(uploaded.has_value()) << uploaded.error().message;
  EXPECT_EQ(uploaded->sha256, Sha256Hex(content));
  EXPECT_EQ(uploaded->file.size_bytes, content.size());
  EXPECT_TRUE(IsSameSha256(local.files().Get(uploaded->file.name)->sha256_hash, uploaded->sha256));
}

// An object goes through the fault and comes out of it as it was.
// Requests for vectors of eight numbers, as Vertex AI wants them.
std::string VertexLines(int count) {
  std::string lines;
  for (int i = 0; i < count; ++i) {
    lines += R"({"key":")" + std::to_string(i) + R"(","request":{"content":{"parts":[{"text":"a )" +
             std::to_string(i) + R"("}]},"embedContentConfig":{"outputDimensionality":8}}})" + "\n";
  }
  return lines;
}

struct VertexOutcome {
  BatchJob job;
  Result<std::vector<JobResponse>> responses;
};

// Of a job at Vertex AI over kCount requests.
VertexOutcome VertexJobOver(std::vector<std::string> faults) {
  LocalCloud cloud(std::move(faults));
  cloud.options.job_latency_min = cloud.options.job_latency_max = milliseconds(1);
  const ObjectName name{.bucket = kTestBucket, .object = "in/requests.jsonl"};
  EXPECT_TRUE(cloud.storage().Upload(name, SourceOfBytes(VertexLines(kCount))).has_value());
  const auto client = MakeClient({.sign_in = SignIn::kVertex,
                                  .project = "p",
                                  .location = "us-central1",
                                  .base_url = cloud.emulator->base_url(),
                                  .retry = cloud.retry,
                                  .environment = EnvironmentOf({})})
                          .value();
  CreateJobRequest request{.model = kModel, .display_name = "a job"};
  request.gcs_uris = {FormatObjectUri(name)};
  request.output_gcs_uri = "gs://" + std::string(kTestBucket) + "/out";
  const CreateAnswer answer = client->batches().CreateEmbeddings(request);
  EXPECT_EQ(answer.outcome, CreateOutcome::kCreated) << answer.error->message;
  const auto ended = client->batches().Wait(answer.job.name, {.poll_interval = milliseconds(2)});
  EXPECT_TRUE(ended.has_value()) << ended.error().message;
  return {.job = *ended, .responses = client->batches().GetResponses(*ended)};
}

void ExpectWholeObject(std::vector<std::string> faults) {
  LocalCloud cloud(std::move(faults));
  cloud.WithSignIn();
  const StorageClient storage = cloud.storage();
  const ObjectName name{.bucket = kTestBucket, .object = "run/shard.jsonl"};
  const std::string content = LocalClient::Lines(10'000);
  const auto stored = storage.Upload(name, SourceOfBytes(content), {.chunk_bytes = 512 << 10});
  ASSERT_TRUE(stored.has_value()) << stored.error().message;
  CollectedBytes bytes;
  const auto read = storage.Download(name, content.size(), bytes.writer(), bytes.restart());
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(bytes.text, content);
}

// Creating has an unknown outcome; the one job that there is can be found.
void ExpectLostButFound(const std::string& fault, milliseconds patience = seconds(60)) {
  LocalClient local({fault});
  const auto client = Impatient(local, patience);
  const CreateAnswer lost = client->batches().CreateEmbeddings(InlineJob(3));
  EXPECT_EQ(lost.outcome, CreateOutcome::kUnknown) << fault;
  const std::vector<BatchJob> found = AwaitListed(local);
  ASSERT_EQ(found.size(), 1U) << fault;
  EXPECT_EQ(found[0].display_name, "a job");
  ExpectAll(Responses(local, local.Wait(found[0]).value()), 3);
  EXPECT_EQ(local.emulator->counters().jobs_created, 1U) << fault;
  EXPECT_EQ(local.emulator->counters().requests.at("batches.create"), 1U) << fault;
}

// Creating is refused for now: told once, and nothing was made.
Error RefusedByQuota(const std::string& fault) {
  LocalClient local({fault});
  const CreateAnswer refused = local.batches().CreateEmbeddings(InlineJob(3));
  EXPECT_NE(refused.outcome, CreateOutcome::kCreated);
  EXPECT_EQ(refused.error->http_status, 429);
  EXPECT_EQ(refused.error->code, ErrorCode::kUnavailable);
  EXPECT_TRUE(Listed(local).empty());
  EXPECT_EQ(local.emulator->counters().requests.at("batches.create"), 1U);
  return *refused.error;
}

void ExpectNoResults(const std::string& fault, JobState state) {
  LocalClient local({fault});
  const BatchJob ended = Ended(local);
  EXPECT_EQ(ended.state, state);
  EXPECT_EQ(local.batches().GetResponses(ended).error().code, ErrorCode::kNotFound);
}

// A job that hangs in `state` ends a wait when its time is over; cancelled, it ends.
BatchJob CancelledWhere(LocalClient& local, JobState state) {
  const BatchJob job = Created(local, JobOver(Uploaded(local, LocalClient::Lines(kCount))));
  const auto waited =
      local.batches().Wait(job.name, {.poll_interval = milliseconds(1), .timeout = seconds(2)});
  EXPECT_EQ(waited.error().code, ErrorCode::kUnfinished);
  EXPECT_NE(waited.error().message.find(JobStateName(state)), std::string::npos)
      << waited.error().message;
  EXPECT_TRUE(local.batches().Cancel(job.name).has_value());
  return local.Wait(job).value();
}

void ExpectNotFoundIsUnderstood(const std::string& fault) {
  LocalClient local({fault});
  const auto job = local.batches().Get("batches/none");
  EXPECT_EQ(job.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(job.error().http_status, 404);
  EXPECT_FALSE(job.error().message.empty());
}

// Without a word of the service's own, 404 is a failed call, and the next one may succeed.
void ExpectNobodysNotFound(const std::string& fault) {
  LocalClient local({fault});
  const auto job = local.batches().Get("batches/none");
  EXPECT_EQ(job.error().code, ErrorCode::kBadAnswer);
  EXPECT_EQ(job.error().http_status, 404);
  LocalClient passing({fault + "=1"});
  EXPECT_EQ(passing.batches().Get("batches/none").error().code, ErrorCode::kNotFound);
}

// An error is given as one, by its key, with words even when the service sent none.
void ExpectItemErrors(const std::string& fault, const std::string& message) {
  LocalClient local({fault + "=50"});
  const auto responses = Responses(local, Ended(local));
  EXPECT_EQ(KeysOf(responses).size(), static_cast<size_t>(kCount));
  EXPECT_EQ(std::ranges::count_if(responses, &JobResponse::ok), kCount - 50);
  for (const JobResponse& response : responses) {
    if (!response.ok()) {
      EXPECT_EQ(response.error->code, 13) << response.json;
      EXPECT_EQ(response.error->message, message) << response.json;
    }
  }
}

const std::map<std::string_view, std::function<void()>>& Cases() {
  static const std::map<std::string_view, std::function<void()>> cases = {
      {"no-shuffle",
       [] {
         LocalClient local({"no-shuffle"});
         const auto responses = Responses(local, Ended(local));
         ExpectAll(responses);
         for (size_t i = 0; i < responses.size(); ++i) {
           EXPECT_EQ(responses[i].key, std::to_string(i));
         }
       }},
      {"drop-line",
       [] {  // Nothing takes the place of what is missing.
         LocalClient local({"drop-line=3"});
         const auto responses = Responses(local, Ended(local));
         EXPECT_EQ(responses.size(), static_cast<size_t>(kCount) - 3);
         EXPECT_EQ(KeysOf(responses).size(), responses.size());
       }},
      {"duplicate-line",
       [] {  // Both are given, under the same key.
         LocalClient local({"duplicate-line=3"});
         const auto responses = Responses(local, Ended(local));
         EXPECT_EQ(responses.size(), static_cast<size_t>(kCount) + 3);
         EXPECT_EQ(KeysOf(responses).size(), static_cast<size_t>(kCount));
         std::map<std::string, std::string> by_key;
         for (const JobResponse& response : responses) {
           EXPECT_EQ(by_key.emplace(response.key, response.json).first->second, response.json);
         }
       }},
      {"no-key",
       [] {  // No key is made up.
         LocalClient local({"no-key=3"});
         const auto responses = Responses(local, Ended(local));
         EXPECT_EQ(responses.size(), static_cast<size_t>(kCount));
         EXPECT_EQ(std::ranges::count(responses, "", &JobResponse::key), 3);
       }},
      {"item-error", [] { ExpectItemErrors("item-error", "the service failed it with code 13"); }},
      {"item-error-13", [] { ExpectItemErrors("item-error-13", "Internal error encountered."); }},
      {"cut-last-line",
       [] {
         LocalClient local({"cut-last-line"});
         const BatchJob ended = Ended(local);
         uint64_t taken = 0;
         const auto count =
             local.batches().ForEachResponse(ended, [&](const JobResponse& response) {
               EXPECT_TRUE(response.ok());
               ++taken;
               return Result<void>();
             });
         EXPECT_EQ(count.error().code, ErrorCode::kBadAnswer);
         EXPECT_EQ(taken, static_cast<uint64_t>(kCount) - 1);
         EXPECT_FALSE(local.batches().GetResponses(ended).has_value());
       }},
      {"cut-download", [] { ExpectWholeJob({"cut-download=3"}); }},
      {"stuck-pending",
       [] {
         LocalClient local({"stuck-pending"});
         EXPECT_TRUE(CancelledWhere(local, JobState::kPending).cancelled());
       }},
      {"stuck-running",
       [] {  // What was not served is an error each.
         LocalClient local({"stuck-running"});
         const auto responses = Responses(local, CancelledWhere(local, JobState::kRunning));
         EXPECT_EQ(KeysOf(responses).size(), static_cast<size_t>(kCount));
         EXPECT_EQ(std::ranges::count_if(responses, &JobResponse::ok), kCount / 2);
       }},
      {"expire", [] { ExpectNoResults("expire", JobState::kExpired); }},
      {"expire-partial",
       [] {
         LocalClient local({"expire-partial"});
         const BatchJob ended = Ended(local);
         EXPECT_EQ(ended.state, JobState::kExpired);
         const std::vector<JobResponse> responses = Responses(local, ended);
         EXPECT_EQ(responses.size(), kCount / 2U);
         EXPECT_TRUE(std::ranges::all_of(responses, &JobResponse::ok));
       }},
      {"fail-job",
       [] {
         ExpectNoResults("fail-job", JobState::kFailed);
         LocalClient local({"fail-job"});
         EXPECT_EQ(Ended(local).error.value_or(JobError()).code, 8);
       }},
      {"cancel-succeeds",
       [] {
         LocalClient local({"stuck-pending", "cancel-succeeds"});
         const BatchJob ended = CancelledWhere(local, JobState::kPending);
         EXPECT_TRUE(ended.succeeded());
         for (const JobResponse& response : Responses(local, ended)) {
           EXPECT_EQ(response.error.value_or(JobError()).code, 1);
         }
       }},
      {"cancel-partial",
       [] {  // What it has is given, though the job did not succeed.
         LocalClient local({"stuck-running", "cancel-partial"});
         const BatchJob ended = CancelledWhere(local, JobState::kRunning);
         EXPECT_TRUE(ended.cancelled());
         ExpectAll(Responses(local, ended), kCount / 2);
       }},
      {"create-lost",
       [] {
         ExpectLostButFound("create-lost=503");
         ExpectLostButFound("create-lost=reset");
         ExpectLostButFound("create-lost=timeout", seconds(1));
       }},
      {"create-late", [] { ExpectLostButFound("create-late=100"); }},
      {"create-slow",
       [] {
         LocalClient local({"create-slow=200"});
         ExpectAll(Responses(local, local.Wait(Created(local, InlineJob(3))).value()), 3);
         ExpectLostButFound("create-slow=2000", milliseconds(700));
       }},
      {"create-429",
       [] {
         EXPECT_FALSE(RefusedByQuota("create-429").retry_after.has_value());
         EXPECT_EQ(RefusedByQuota("create-429=retryinfo").retry_after, seconds(1));
       }},
      {"quota-per-day",
       [] {
         EXPECT_NE(RefusedByQuota("quota-per-day").message.find("PerDay"), std::string::npos);
       }},
      {"enqueued-tokens",
       [] {
         LocalClient local({"enqueued-tokens=1000", "stuck-pending"});
         const BatchJob first = Created(local, InlineJob(20));
         const auto refused = local.batches().CreateEmbeddings(InlineJob(20));
         EXPECT_EQ(refused.error->http_status, 429);
         EXPECT_TRUE(local.batches().Cancel(first.name).has_value());
         EXPECT_NE(Created(local, InlineJob(20)).name, first.name);
         EXPECT_EQ(local.emulator->counters().jobs_created, 2U);
       }},
      {"mime-refused",
       [] {
         LocalClient local({"mime-refused=application/jsonl"});
         const auto uploaded = local.files().UploadBytes(LocalClient::Lines(3));
         EXPECT_EQ(uploaded.value().file.mime_type, "application/json");
       }},
      {"chunk-no-status", [] { ExpectWholeUpload({"chunk-no-status=2"}); }},
      {"chunk-offset-409", [] { ExpectWholeUpload({"chunk-offset-409=2"}); }},
      {"upload-gone", [] { ExpectWholeUpload({"cut-upload=1000000@1", "upload-gone=1"}); }},
      {"cut-upload", [] { ExpectWholeUpload({"cut-upload=1000000@2"}); }},
      {"keep-whole-chunks",
       [] { ExpectWholeUpload({"cut-upload=1000000@2", "keep-whole-chunks"}); }},
      {"corrupt-upload",
       [] {  // Nobody can use what was stored wrongly.
         LocalClient local({"corrupt-upload=1"});
         const auto uploaded = local.files().UploadBytes(LocalClient::Lines(3));
         EXPECT_EQ(uploaded.error().code, ErrorCode::kBadAnswer);
         EXPECT_TRUE(local.files().List()->files.empty());
         EXPECT_TRUE(local.files().UploadBytes(LocalClient::Lines(3)).has_value());
       }},
      {"error-array", [] { ExpectNotFoundIsUnderstood("error-array"); }},
      {"error-html", [] { ExpectNobodysNotFound("error-html"); }},
      {"error-empty", [] { ExpectNobodysNotFound("error-empty"); }},
      {"job-state-prefix", [] { ExpectWholeJob({"job-state-prefix"}); }},
      {"inline-single-level",
       [] {
         LocalClient local({"inline-single-level"});
         ExpectAll(Responses(local, local.Wait(Created(local, InlineJob(5))).value()), 5);
       }},
      {"list-empty-page",
       [] {
         LocalClient local({"list-empty-page=1.0"});
         for (int i = 0; i < 5; ++i) {
           Created(local, InlineJob(1));
         }
         EXPECT_EQ(Listed(local).size(), 5U);
       }},
      {"list-lag",
       [] {  // An absence is not final.
         LocalClient local({"list-lag=1500"});
         const BatchJob created = Created(local, InlineJob(1));
         EXPECT_TRUE(Listed(local).empty());
         EXPECT_EQ(AwaitListed(local).at(0).name, created.name);
       }},
      {"list-stale-stats",
       [] {
         LocalClient local({"list-stale-stats"});
         const BatchJob ended = Ended(local);
         const BatchJob listed = Listed(local).at(0);
         EXPECT_EQ(listed.stats->pending_count, kCount);
         EXPECT_TRUE(listed.succeeded());
         ExpectAll(Responses(local, listed));
         EXPECT_EQ(ended.stats->success_count, kCount);
       }},
      {"range-ignored", [] { ExpectWholeJob({"cut-download=1", "range-ignored"}); }},
      {"range-wrong", [] { ExpectWholeJob({"cut-download=1", "range-wrong=1"}); }},
      {"http-503",
       [] {  // Creating is not repeated blindly; all else is.
         LocalClient local({"http-503=0.4"});
         const CreateJobRequest request = JobOver(Uploaded(local, LocalClient::Lines(kCount)));
         while (local.batches().CreateEmbeddings(request).outcome != CreateOutcome::kCreated &&
                Listed(local).empty()) {
         }
         const std::vector<BatchJob> jobs = Listed(local);
         ASSERT_EQ(jobs.size(), 1U);
         ExpectAll(Responses(local, local.Wait(jobs[0]).value()));
         EXPECT_EQ(local.emulator->counters().jobs_created, 1U);
       }},
      {"partly-succeeds",
       [] {
         const VertexOutcome outcome = VertexJobOver({"partly-succeeds"});
         EXPECT_EQ(outcome.job.state, JobState::kPartiallySucceeded);
         EXPECT_EQ(outcome.responses->size(), size_t{kCount} / 2);
         EXPECT_EQ(KeysOf(*outcome.responses).size(), outcome.responses->size());
       }},
      {"ignore-dimension",
       [] {
         const VertexOutcome outcome = VertexJobOver({"ignore-dimension"});
         EXPECT_EQ(outcome.responses->size(), size_t{kCount});
         for (const JobResponse& response : *outcome.responses) {
           EXPECT_GT(response.vector.size(), 8U);  // what came, not what was asked for
         }
       }},
      {"no-output-info",
       [] {
         // `run` looks for the folder (tests/cli/vertex_test.py); who asks for a job gets what it
         // says.
         const VertexOutcome outcome = VertexJobOver({"no-output-info"});
         EXPECT_TRUE(outcome.job.succeeded());
         EXPECT_EQ(outcome.responses.error().code, ErrorCode::kNotFound);
       }},
      {"table-job-lost",
       [] {
         LocalCloud cloud({"table-job-lost"});
         static_cast<void>(cloud.service());
         GoogleServiceOptions options{.base_url = cloud.emulator->base_url(), .api_version = "v2"};
         options.retry = cloud.retry;
         const auto service =
             GoogleService::Make(std::move(options), *cloud.transport, cloud.clock).value();
         const BigQueryClient tables(*service, "p", "us-central1");
         ASSERT_TRUE(tables.MakeDataset("d").has_value());
         const auto loaded = tables.LoadByUpload(
             {.project = "p", .dataset = "d", .table = "t"}, SourceOfBytes("{\"key\":\"a\"}\n"),
             {.job_id = "j", .columns = {{.name = "key", .type = "STRING"}}});
         ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
         EXPECT_EQ(loaded->rows, 1U);  // not two: the id finds the job that was made
       }},
      {"upload-ended", [] { ExpectWholeObject({"upload-ended=2"}); }},
      {"upload-lost", [] { ExpectWholeObject({"upload-lost"}); }},
      {"keep-less", [] { ExpectWholeObject({"keep-less=2"}); }},
      {"token-503", [] { ExpectWholeObject({"token-503=1"}); }},
      {"token-refused", [] { ExpectWholeObject({"token-refused=1"}); }},
      {"token-revoked",
       [] {
         LocalCloud cloud({"token-revoked"});
         cloud.WithSignIn();
         const auto list = cloud.storage().List(kTestBucket);
         EXPECT_EQ(list.error().code, ErrorCode::kAuth);
         EXPECT_NE(list.error().message.find("invalid_grant"), std::string::npos);
         EXPECT_EQ(cloud.emulator->counters().requests.at("token"), 1U);
       }},
      {"stall",
       [] {
         LocalClient local({"stall=2"});
         const auto client = Impatient(local, seconds(1));
         const auto page = client->batches().List();
         ASSERT_TRUE(page.has_value()) << page.error().message;
         EXPECT_EQ(local.emulator->counters().requests.at("batches.list"), 3U);
       }},
  };
  return cases;
}

class FaultSwitch : public testing::TestWithParam<std::string_view> {};

TEST_P(FaultSwitch, MeetsAClientThatDoesTheRightThing) {
  const auto found = Cases().find(GetParam());
  ASSERT_NE(found, Cases().end()) << "this switch has no test: " << GetParam();
  found->second();
}

std::vector<std::string_view> SwitchNames() {
  std::vector<std::string_view> names;
  for (const FaultInfo& info : EmulatorFaults()) {
    names.push_back(info.name);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(Every, FaultSwitch, testing::ValuesIn(SwitchNames()),
                         [](const auto& test) {
                           std::string name(test.param);
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(FaultSwitches, EveryCaseIsOfASwitch) {
  for (const auto& [name, test] : Cases()) {
    EXPECT_EQ(std::ranges::count(SwitchNames(), name), 1) << name;
  }
}

}  // namespace
}  // namespace sluice
