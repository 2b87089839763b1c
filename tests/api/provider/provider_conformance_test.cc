// What every Provider must do, against a real service on loopback, in each way that its rows can
// take. A new provider joins by one line in the registry and one way or more below.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <ostream>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "api/auth/default_credentials.h"
#include "api/http/curl_transport.h"
#include "api/provider/provider.h"
#include "io/json/json_document.h"
#include "tests/support/collected_bytes.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_key.h"
#include "tools/emulator/emulator.h"

namespace sluice {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kDimension = 8;

// One way of rows to a far side and back.
struct Way {
  std::string name;
  std::string provider;
  Task task = Task::kEmbed;
  std::string model = "gemini-embedding-001";
  std::string bucket = "test-bucket/runs";
  std::string dataset = {};
  std::string file;          // a name that nobody has
  std::string job;           // likewise
  bool checks_input = true;  // when a job is created, not only when it runs
  bool goes_on = true;       // a broken transfer goes on where it stopped

  friend void PrintTo(const Way& way, std::ostream* out) { *out << way.name; }
};

constexpr const char* kVertexJob =
    "projects/p/locations/us-central1/batchPredictionJobs/1234567890123456789";

std::vector<Way> AllWays() {
  const Way objects{.name = "VertexObjects",
                    .provider = "vertex",
                    .file = "gs://test-bucket/nobody",
                    .job = kVertexJob,
                    .checks_input = false};
  Way tables = objects;
  tables.name = "VertexTables";
  tables.task = Task::kGenerate;
  tables.model = "gemini-2.5-flash";
  tables.bucket = "";
  tables.dataset = "runs";
  tables.file = "bq://my-project.runs.nobody";
  tables.goes_on = false;  // rows and request are one body
  Way tables_by_bucket = tables;
  tables_by_bucket.name = "VertexTablesByBucket";
  tables_by_bucket.bucket = objects.bucket;
  tables_by_bucket.goes_on = true;
  return {{.name = "Gemini",
           .provider = "gemini",
           .file = "files/nobody",
           .job = "batches/" + std::string(36, 'x')},
          objects,
          tables,
          tables_by_bucket};
}

class StringSource final : public ByteSource {
 public:
  explicit StringSource(std::string_view text) : rest_(text) {}
  Result<size_t> Read(std::span<std::byte> buffer) override {
    const size_t size = std::min(rest_.size(), buffer.size());
    std::ranges::copy(AsBytes(rest_.substr(0, size)), buffer.begin());
    rest_.remove_prefix(size);
    return size;
  }

 private:
  std::string_view rest_;
};

StageSource SourceOf(const std::string& text) {
  return {.open = [&text]() -> Result<std::unique_ptr<ByteSource>> {
            return std::make_unique<StringSource>(text);
          },
          .size = text.size()};
}

// Both spellings of the settings are taken by both services.
std::string RequestLines(const Way& way, int count, size_t text_size = 20) {
  const char* const form =
      way.task == Task::kEmbed
          ? R"({{"key":"{0}","request":{{"content":{{"parts":[{{"text":"text {0:0{1}}"}}]}},)"
            R"("embed_content_config":{{"output_dimensionality":{2}}}}}}})"
          : R"({{"key":"{0}","request":{{"contents":[{{"role":"user",)"
            R"("parts":[{{"text":"text {0:0{1}}"}}]}}]}}}})";
  std::string lines;
  for (int i = 0; i < count; ++i) {
    lines += fmt::format(fmt::runtime(form), i, text_size, kDimension);
    lines += '\n';
  }
  return lines;
}

// A token that somebody holds.
class HeldToken final : public AccessTokens {
 public:
  explicit HeldToken(std::string token) : token_(std::move(token)) {}
  Result<std::string> Token(std::stop_token /*stop*/) override { return token_; }
  void Refused(const std::string& /*token*/) override {}
  std::string account() const override { return token_; }
  std::string quota_project() const override { return ""; }

 private:
  const std::string token_;
};

class ProviderConformanceTest : public testing::TestWithParam<Way> {
 protected:
  // Starts the far side, with faults, and a provider that speaks to it.
  void Begin(std::vector<std::string> faults = {}, milliseconds job_latency = milliseconds(1)) {
    provider_.reset();
    emulator_.reset();
    folder_ = std::make_unique<TempFolder>();
    Start(std::move(faults), job_latency);
  }

  // The far side ends and begins anew with what it had.
  void BeginAgain(std::vector<std::string> faults) {
    provider_.reset();
    emulator_.reset();
    Start(std::move(faults), milliseconds(1));
  }

  void Start(std::vector<std::string> faults, milliseconds job_latency) {
    EmulatorOptions far_side;
    far_side.state_folder = folder_->path();
    far_side.job_latency_min = job_latency;
    far_side.job_latency_max = job_latency;
    far_side.faults = std::move(faults);
    far_side.required_key = kTestKey;
    far_side.buckets = {"test-bucket"};
    far_side.credentials_file = CredentialsFile();
    auto started = Emulator::Start(std::move(far_side));
    ASSERT_TRUE(started.has_value()) << started.error().message;
    emulator_ = std::move(*started);
    provider_ = MakeProvider(GetParam().provider, Options(), *transport_, clock_).value();
  }

  ProviderOptions Options() const {
    ProviderOptions options;
    options.base_url = emulator_->base_url();
    options.api_key = kTestKey;
    options.task = GetParam().task;
    options.model = GetParam().model;
    options.project = "my-project";
    options.location = "us-central1";
    options.bucket = GetParam().bucket;
    options.bigquery_dataset = GetParam().dataset;
    options.tokens = Tokens();
    options.retry = {
        .attempts_max = 5, .first_wait = milliseconds(1), .wait_max = milliseconds(10)};
    options.request_timeout = seconds(20);
    return options;
  }

  // One for all tests: making its key takes a second.
  static std::string CredentialsFile() {
    static const TempFolder folder;
    return folder.Path("credentials.json");
  }

  std::shared_ptr<AccessTokens> Tokens() const {
    const EnvironmentLookup environment = [&](const std::string& name) {
      return name == "GOOGLE_APPLICATION_CREDENTIALS" ? std::optional(CredentialsFile())
                                                      : std::nullopt;
    };
    return FindDefaultCredentials(environment, *transport_, clock_).value().tokens;
  }

  Result<std::string> Stage(const std::string& content, const std::string& id = "sl-1-1-1") {
    return provider_->Stage(SourceOf(content), id, {}, {});
  }

  CreateAnswer Create(const std::string& file, const std::string& display_name = "sluice/1/1/1") {
    return provider_->CreateJob({.task = GetParam().task,
                                 .model = GetParam().model,
                                 .staged_file = file,
                                 .display_name = display_name},
                                {});
  }

  BatchJob AwaitEnd(const std::string& name) {
    while (true) {
      const BatchJob job = provider_->GetJob(name, {}).value();
      if (job.complete()) {
        return job;
      }
      clock_.SleepUntil(clock_.Now() + milliseconds(5), {});
    }
  }

  Result<std::string> Fetch(const BatchJob& job) {
    CollectedBytes bytes;
    SLUICE_ASSIGN(const uint64_t size,
                  provider_->FetchAnswers(job, bytes.writer(), bytes.restart(), {}));
    EXPECT_EQ(size, bytes.text.size());
    return bytes.text;
  }

  // All jobs of that display name, by listing to the end.
  std::vector<BatchJob> Find(const std::string& display_name) {
    std::vector<BatchJob> found;
    std::string token;
    do {
      JobPage page = provider_->ListJobs(token, {}).value();
      for (BatchJob& job : page.jobs) {
        if (job.display_name == display_name) {
          found.push_back(std::move(job));
        }
      }
      token = page.next_page_token;
    } while (!token.empty());
    return found;
  }

  // One answer for each of the rows, whatever their order.
  static void ExpectAllRows(const std::string& lines, int count) {
    std::set<std::string> keys;
    size_t begin = 0;
    for (size_t end = 0; (end = lines.find('\n', begin)) != std::string::npos; begin = end + 1) {
      const Json line = ParseJson(lines.substr(begin, end - begin));
      EXPECT_TRUE(keys.insert(line.at("key").get<std::string>()).second);
      ExpectAnswer(line.at("response"));
    }
    EXPECT_EQ(begin, lines.size());
    EXPECT_EQ(keys.size(), static_cast<size_t>(count));
    EXPECT_EQ(keys.count("0"), 1U);
    EXPECT_EQ(keys.count(std::to_string(count - 1)), 1U);
  }

  static void ExpectAnswer(const Json& response) {
    if (GetParam().task == Task::kEmbed) {
      EXPECT_EQ(response.at("embedding").at("values").size(), size_t{kDimension});
    } else {
      EXPECT_TRUE(response.at("/candidates/0/content/parts/0/text"_json_pointer).is_string());
    }
  }

  static std::string RequestLines(int count, size_t text_size = 20) {
    return sluice::RequestLines(GetParam(), count, text_size);
  }

  mutable SystemClock clock_;
  std::unique_ptr<Transport> transport_ = MakeCurlTransport({});
  std::unique_ptr<TempFolder> folder_;
  std::unique_ptr<Emulator> emulator_;
  std::unique_ptr<Provider> provider_;
};

TEST_P(ProviderConformanceTest, CarriesAShardThroughItsWholeLife) {
  Begin();
  const std::string content = RequestLines(100);
  uint64_t told = 0;
  const auto staged =
      provider_->Stage(SourceOf(content), "sl-1-1-1", [&](uint64_t n) { told = n; }, {});
  ASSERT_TRUE(staged.has_value()) << staged.error().message;
  EXPECT_EQ(told, content.size());

  const CreateAnswer created = Create(*staged);
  ASSERT_EQ(created.outcome, CreateOutcome::kCreated) << created.error->message;
  EXPECT_EQ(created.job.display_name, "sluice/1/1/1");

  const BatchJob ended = AwaitEnd(created.job.name);
  EXPECT_TRUE(ended.succeeded());
  EXPECT_EQ(ended.name, created.job.name);
  EXPECT_EQ(ended.source_file, *staged);
  EXPECT_EQ(ended.stats->total_count, 100);
  EXPECT_EQ(ended.progress(), 100.0);
  const auto lines = Fetch(ended);
  ASSERT_TRUE(lines.has_value()) << lines.error().message;
  ExpectAllRows(*lines, 100);

  EXPECT_TRUE(provider_->DeleteFile(*staged, {}).has_value());
  EXPECT_TRUE(provider_->DeleteFile(*staged, {}).has_value());
  EXPECT_TRUE(provider_->DeleteJob(ended.name, {}).has_value());
  EXPECT_EQ(provider_->GetJob(ended.name, {}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(emulator_->counters().jobs_created, 1U);
}

TEST_P(ProviderConformanceTest, FetchesAJobThatWasFoundInTheList) {
  Begin();
  const CreateAnswer created = Create(Stage(RequestLines(10)).value());
  static_cast<void>(AwaitEnd(created.job.name));
  const std::vector<BatchJob> found = Find("sluice/1/1/1");
  ASSERT_EQ(found.size(), 1U);
  ExpectAllRows(Fetch(found[0]).value(), 10);
}

TEST_P(ProviderConformanceTest, FindsAJobByItsDisplayNameOverManyPages) {
  Begin({"list-empty-page"});
  const std::string file = Stage(RequestLines(1)).value();
  for (int i = 0; i < 120; ++i) {
    const CreateAnswer created = Create(file, fmt::format("sluice/1/{}/1", i));
    ASSERT_EQ(created.outcome, CreateOutcome::kCreated) << created.error->message;
    static_cast<void>(AwaitEnd(created.job.name));
  }
  for (const int i : {0, 60, 119}) {
    const std::vector<BatchJob> found = Find(fmt::format("sluice/1/{}/1", i));
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].source_file, file);
  }
  EXPECT_TRUE(Find("sluice/1/120/1").empty());
}

TEST_P(ProviderConformanceTest, ALostCreateAnswerIsUnknownAndTheJobIsFound) {
  for (const char* fault : {"create-lost=503@1", "create-lost=reset@1"}) {
    Begin({fault});
    const std::string file = Stage(RequestLines(3)).value();
    const CreateAnswer lost = Create(file);
    EXPECT_EQ(lost.outcome, CreateOutcome::kUnknown) << fault;
    const std::vector<BatchJob> found = Find("sluice/1/1/1");
    ASSERT_EQ(found.size(), 1U) << fault;
    EXPECT_EQ(found[0].source_file, file);
    EXPECT_EQ(emulator_->counters().jobs_created, 1U) << fault;
  }
}

TEST_P(ProviderConformanceTest, ADeletedFileCannotBecomeAJob) {
  Begin();
  const std::string file = Stage(RequestLines(3)).value();
  ASSERT_TRUE(provider_->DeleteFile(file, {}).has_value());
  const CreateAnswer created = Create(file);
  if (GetParam().checks_input) {
    EXPECT_EQ(created.outcome, CreateOutcome::kRefused);
    EXPECT_EQ(emulator_->counters().jobs_created, 0U);
    return;
  }
  // It comes to nothing, costs nothing, and does not stand in the way of another attempt.
  ASSERT_EQ(created.outcome, CreateOutcome::kCreated);
  const BatchJob ended = AwaitEnd(created.job.name);
  EXPECT_TRUE(ended.failed());
  EXPECT_FALSE(ended.has_results());
  EXPECT_EQ(ended.error->code, 14) << ended.error->message;
}

TEST_P(ProviderConformanceTest, CancelsAJob) {
  Begin({}, seconds(600));
  const CreateAnswer created = Create(Stage(RequestLines(3)).value());
  EXPECT_FALSE(provider_->GetJob(created.job.name, {}).value().complete());
  ASSERT_TRUE(provider_->CancelJob(created.job.name, {}).has_value());
  EXPECT_TRUE(AwaitEnd(created.job.name).cancelled());
  EXPECT_TRUE(provider_->CancelJob(created.job.name, {}).has_value());
}

TEST_P(ProviderConformanceTest, UnknownNamesAreNotFound) {
  Begin();
  const std::string& nobody = GetParam().job;
  EXPECT_EQ(provider_->GetJob(nobody, {}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(provider_->CancelJob(nobody, {}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(provider_->DeleteJob(nobody, {}).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(provider_->DeleteFile(GetParam().file, {}).has_value());
  EXPECT_TRUE(Find("sluice/1/1/1").empty());
}

TEST_P(ProviderConformanceTest, StagingASecondTimeAdoptsTheSameContentOnly) {
  Begin();
  const std::string content = RequestLines(3);
  const auto first = Stage(content);
  ASSERT_TRUE(first.has_value()) << first.error().message;
  const auto again = Stage(content);
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_EQ(*again, *first);
  EXPECT_EQ(Stage(RequestLines(4)).error().code, ErrorCode::kConflict);
}

TEST_P(ProviderConformanceTest, StagesThroughCutsAndRefusals) {
  const std::string content = RequestLines(300, 10'000);
  ASSERT_GT(content.size(), 3'000'000U);
  std::vector<std::vector<std::string>> all = {{"http-503=3"}};
  if (GetParam().goes_on) {
    all.insert(all.end(), {{"cut-upload=1000000@3"},
                           {"cut-upload=1000000@1", "keep-whole-chunks"},
                           {"chunk-no-status@1"},
                           {"chunk-offset-409@1"},
                           {"cut-upload=1000000@1", "upload-gone@1"},
                           {"mime-refused=application/jsonl"},
                           {"corrupt-upload@1"}});
  }
  if (!GetParam().dataset.empty()) {
    all.insert(all.end(), {{"table-job-lost@1"}});
  }
  for (const std::vector<std::string>& faults : all) {
    Begin(faults);
    auto staged = Stage(content);
    if (faults[0] == "corrupt-upload@1") {
      EXPECT_EQ(staged.error().code, ErrorCode::kBadAnswer);
      staged = Stage(content);  // What was stored wrongly does not stand in the way.
    }
    ASSERT_TRUE(staged.has_value()) << faults[0] << ": " << staged.error().message;
    if (faults[0] == "cut-upload=1000000@3") {
      EXPECT_LT(emulator_->counters().bytes_received, content.size() + content.size() / 20);
    }
    const CreateAnswer created = Create(*staged);
    ASSERT_EQ(created.outcome, CreateOutcome::kCreated) << faults[0] << created.error->message;
    ExpectAllRows(Fetch(AwaitEnd(created.job.name)).value(), 300);
  }
}

TEST_P(ProviderConformanceTest, FetchesThroughCutsAndWrongRanges) {
  for (const std::vector<std::string>& faults :
       std::vector<std::vector<std::string>>{{"cut-download=3"},
                                             {"cut-download=1", "range-ignored"},
                                             {"cut-download=1", "range-wrong@1"}}) {
    Begin(faults);
    const CreateAnswer created = Create(Stage(RequestLines(2000)).value());
    const auto lines = Fetch(AwaitEnd(created.job.name));
    ASSERT_TRUE(lines.has_value()) << faults[0] << ": " << lines.error().message;
    ExpectAllRows(*lines, 2000);
  }
}

TEST_P(ProviderConformanceTest, ReadsStatesAndErrorsInEverySpelling) {
  for (const char* fault : {"job-state-prefix", "error-array", "error-html", "error-empty"}) {
    Begin();
    const std::string file = Stage(RequestLines(3)).value();
    BeginAgain({fault});  // what is not there yet is told by an error
    const CreateAnswer created = Create(file);
    ASSERT_EQ(created.outcome, CreateOutcome::kCreated) << fault;
    EXPECT_TRUE(AwaitEnd(created.job.name).succeeded()) << fault;
    // A page, or nothing, is not the service saying that a job is gone.
    const bool is_told =
        std::string_view(fault) != "error-html" && std::string_view(fault) != "error-empty";
    EXPECT_EQ(provider_->GetJob(GetParam().job, {}).error().code,
              is_told ? ErrorCode::kNotFound : ErrorCode::kBadAnswer)
        << fault;
  }
}

TEST_P(ProviderConformanceTest, ToldEndings) {
  struct Case {
    const char* fault;
    JobState state;
  };
  for (const Case& c : {Case{"fail-job", JobState::kFailed}, Case{"expire", JobState::kExpired}}) {
    Begin({c.fault});
    const CreateAnswer created = Create(Stage(RequestLines(3)).value());
    const BatchJob ended = AwaitEnd(created.job.name);
    EXPECT_EQ(ended.state, c.state);
    EXPECT_EQ(Fetch(ended).error().code, ErrorCode::kNotFound) << c.fault;
  }
}

TEST_P(ProviderConformanceTest, QuotaLeavesTheOutcomeUnknownAndSaysWhy) {
  Begin({"create-429=retryinfo"});
  const CreateAnswer answer = Create(Stage(RequestLines(3)).value());
  EXPECT_EQ(answer.outcome, CreateOutcome::kUnknown);
  EXPECT_EQ(answer.error->http_status, 429);
  EXPECT_EQ(answer.error->retry_after, milliseconds(1000));
  Begin({"quota-per-day"});
  EXPECT_NE(Create(Stage(RequestLines(3)).value()).error->message.find("PerDay"),
            std::string::npos);
}

TEST_P(ProviderConformanceTest, AWrongKeyIsSaidOnceAndNeverShown) {
  Begin();
  ProviderOptions options = Options();
  options.api_key = "AIzaTestKey-wrong";
  options.tokens = std::make_shared<HeldToken>(options.api_key);
  const auto stranger = MakeProvider(GetParam().provider, options, *transport_, clock_).value();
  EXPECT_NE(stranger->account_fingerprint(), provider_->account_fingerprint());
  const std::string content = RequestLines(3);
  const auto staged = stranger->Stage(SourceOf(content), "sl-1", {}, {});
  const auto listed = stranger->ListJobs("", {});
  const CreateAnswer created = stranger->CreateJob({.task = GetParam().task,
                                                    .model = GetParam().model,
                                                    .staged_file = GetParam().file,
                                                    .display_name = "d"},
                                                   {});
  for (const Error& error : {staged.error(), listed.error(), *created.error}) {
    EXPECT_EQ(error.code, ErrorCode::kAuth) << error.message;
    EXPECT_EQ(error.message.find(options.api_key), std::string::npos);
  }
  EXPECT_EQ(created.outcome, CreateOutcome::kRefused);
  EXPECT_EQ(stranger->DeleteFile(GetParam().file, {}).error().code, ErrorCode::kAuth);
}

TEST_P(ProviderConformanceTest, EmbedsOneText) {
  Begin();
  const std::string model = "gemini-embedding-001";
  const auto vector = provider_->EmbedText(model, "ein \xc3\xa4\xc3\xb6\xc3\xbc \"text\"", 256, {});
  ASSERT_TRUE(vector.has_value()) << vector.error().message;
  EXPECT_EQ(vector->size(), 256U);
  EXPECT_EQ(provider_->EmbedText("no-such-model", "x", 0, {}).error().code, ErrorCode::kNotFound);
}

TEST_P(ProviderConformanceTest, StopsWhileTheServiceHangs) {
  Begin({"stall=1.0"});
  std::stop_source source;
  std::jthread stopper([&] {
    clock_.SleepUntil(clock_.Now() + milliseconds(100), {});
    source.request_stop();
  });
  const MonotonicTime begin = clock_.Now();
  EXPECT_EQ(provider_->ListJobs("", source.get_token()).error().code, ErrorCode::kUnfinished);
  EXPECT_LT(clock_.Now() - begin, seconds(1));
}

INSTANTIATE_TEST_SUITE_P(All, ProviderConformanceTest, testing::ValuesIn(AllWays()),
                         [](const auto& way) { return way.param.name; });

TEST(ProviderConformance, NoProviderIsLeftOut) {
  std::set<std::string> tested;
  for (const Way& way : AllWays()) {
    tested.insert(way.provider);
  }
  const std::vector<std::string> names = ProviderNames();
  EXPECT_EQ(tested, std::set<std::string>(names.begin(), names.end()));
}

}  // namespace
}  // namespace sluice
