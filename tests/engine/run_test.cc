// Whole runs against the local service over the real wire.
#include "engine/run.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <map>

#include "api/http/curl_transport.h"
#include "engine/run_directory.h"
#include "engine/run_lock.h"
#include "io/file/line_reader.h"
#include "io/json/json_document.h"
#include "io/shard/shard_file.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_key.h"
#include "tools/emulator/emulator.h"

namespace sluice {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;

std::string Corpus(int documents) {
  std::string text;
  for (int i = 0; i < documents; ++i) {
    text +=
        fmt::format("{{\"id\":\"d{}\",\"text\":\"document {} about topic {}\"}}\n", i, i, i % 7);
  }
  return text;
}

class RunTest : public testing::Test {
 protected:
  void StartService(std::vector<std::string> faults = {}) {
    EmulatorOptions options;
    options.state_folder = folder_.Path("service");
    options.job_latency_min = milliseconds(1);
    options.job_latency_max = milliseconds(5);
    options.faults = std::move(faults);
    service_.reset();
    service_ = Emulator::Start(options).value();
  }

  RunOptions Options(int rows_a_shard = 20) {
    RunOptions options;
    options.corpus.inputs = {folder_.Path("corpus.jsonl")};
    options.request.model = "sluice-lexical-1";
    options.request.dimension = 16;
    options.request.task_type = "RETRIEVAL_DOCUMENT";
    options.output = folder_.Path("v.npy");
    options.limits.rows_max = static_cast<uint64_t>(rows_a_shard);
    options.run_folder = folder_.Path("v.npy.sluice");
    options.poll_first = milliseconds(5);
    options.poll_max = milliseconds(50);
    options.settle = milliseconds(50);
    options.account = "test";
    return options;
  }

  Result<RunSummary> Go(const RunOptions& options) { return Go(options, {}, *transport_); }

  Result<RunSummary> Go(const RunOptions& options, std::stop_token stop, Transport& transport) {
    return Go(options, std::move(stop), transport, clock_);
  }

  Result<RunSummary> Go(const RunOptions& options, std::stop_token stop, Transport& transport,
                        Clock& clock) {
    ProviderOptions provider_options;
    provider_options.base_url = service_->base_url();
    provider_options.api_key = kTestKey;
    const auto provider = MakeProvider("gemini", provider_options, transport, clock_).value();
    progress_ = std::make_unique<Progress>();
    RunEnvironment environment{.files = *files_,
                               .clock = clock,
                               .provider = *provider,
                               .progress = *progress_,
                               .stop = std::move(stop)};
    return sluice::Run(options, environment);
  }

  // As --fresh does.
  void StartOver() {
    const RunDirectory directory(Options().run_folder);
    ASSERT_TRUE(directory.Make(*files_).has_value());
    ASSERT_TRUE(directory.Clear(*files_).has_value());
  }

  // Jobs as the service counts them, by display name.
  std::map<std::string, int> JobsMade() {
    std::map<std::string, int> jobs;
    std::ifstream journal(folder_.Path("service/journal.jsonl"));
    for (std::string line; std::getline(journal, line);) {
      const Json entry = ParseJson(line);
      if (entry.value("event", "") == "create") {
        ++jobs[entry.value("displayName", "")];
      }
    }
    return jobs;
  }

  std::string Output() { return TempFolder::Read(folder_.Path("v.npy")); }
  Json Report() { return ParseJson(TempFolder::Read(folder_.Path("v.npy.sluice/report.json"))); }

  TempFolder folder_;
  std::unique_ptr<FileSystem> files_ = MakePosixFileSystem();
  SystemClock clock_;
  std::unique_ptr<Transport> transport_ = MakeCurlTransport({});
  std::unique_ptr<Progress> progress_;
  std::unique_ptr<Emulator> service_;
};

TEST_F(RunTest, GivesTheSameBytesHoweverTheCorpusIsCutIntoShards) {
  (void)folder_.Write("corpus.jsonl", Corpus(100));
  StartService();
  const auto first = Go(Options(100));
  ASSERT_TRUE(first.has_value()) << first.error().message;
  EXPECT_EQ(first->ok, 100u);
  EXPECT_EQ(first->exit_code, 0);
  const std::string bytes = Output();
  EXPECT_EQ(bytes.size(), 128u + 100 * 16 * 4);
  StartOver();
  const auto second = Go(Options(7));
  ASSERT_TRUE(second.has_value()) << second.error().message;
  EXPECT_EQ(second->shards, 15u);
  EXPECT_EQ(Output(), bytes);
}

TEST_F(RunTest, CountsOfTheReportAddUp) {
  (void)folder_.Write("corpus.jsonl", Corpus(30) + "\n{\"text\":1}\nnot json\n");
  StartService({"item-error-13=0.2"});
  const auto summary = Go(Options());
  ASSERT_TRUE(summary.has_value()) << summary.error().message;
  const Json documents = Report()["documents"];
  EXPECT_EQ(documents["accepted"], 30);
  EXPECT_EQ(documents["rejected"], 2);
  EXPECT_EQ(documents["blank_lines"], 1);
  EXPECT_EQ(documents["ok"].get<int>() + documents["failed"].get<int>(), 30);
  EXPECT_GT(documents["failed"], 0);
  EXPECT_EQ(documents["failed_by_class"]["transient"], documents["failed"]);
  EXPECT_EQ(Report()["failures"].size(), documents["failed"].get<size_t>());
  EXPECT_EQ(summary->exit_code, 3);
}

TEST_F(RunTest, FinishedRunAsksNothingOfTheService) {
  (void)folder_.Write("corpus.jsonl", Corpus(50));
  StartService();
  ASSERT_TRUE(Go(Options()).has_value());
  const std::string bytes = Output();
  const auto requests = service_->counters().requests;
  const auto again = Go(Options());
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_EQ(again->ok, 50u);
  EXPECT_EQ(service_->counters().requests, requests);
  EXPECT_EQ(Output(), bytes);
}

// Stops the run at its n-th request, before or after the request has its effect.
class StopAtRequest final : public Transport {
 public:
  StopAtRequest(Transport& inner, int request, bool after)
      : inner_(inner), left_(request), after_(after) {}

  Result<HttpResponse> Send(const HttpRequest& request) override {
    const bool now = --left_ == 0;
    if (now && !after_) {
      stop_.request_stop();
    }
    auto response = inner_.Send(request);
    if (now && after_) {
      stop_.request_stop();
    }
    return response;
  }
  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }

 private:
  Transport& inner_;
  std::atomic<int> left_;
  bool after_;
  std::stop_source stop_;
};

TEST_F(RunTest, StoppedAtAnyRequestAndResumedItEndsWithTheSameBytesAndNoJobTwice) {
  (void)folder_.Write("corpus.jsonl", Corpus(60));
  StartService();
  ASSERT_TRUE(Go(Options()).has_value());
  const std::string bytes = Output();
  int stops = 0;
  for (int request = 1; request <= 30; ++request) {
    StartOver();
    const RunOptions options = Options();
    StopAtRequest stopping(*transport_, request, request % 2 == 0);
    const auto stopped = Go(options, stopping.token(), stopping);
    if (!stopped.has_value()) {
      ASSERT_EQ(stopped.error().code, ErrorCode::kUnfinished) << stopped.error().message;
      ++stops;
      const auto resumed = Go(options);
      ASSERT_TRUE(resumed.has_value()) << request << ": " << resumed.error().message;
    }
    EXPECT_EQ(Output(), bytes) << request;
  }
  EXPECT_GT(stops, 10);
  std::map<std::string, int> jobs_of_shard;
  for (const auto& [name, count] : JobsMade()) {
    jobs_of_shard[name.substr(0, name.rfind('/'))] += count;
  }
  for (const auto& [shard, count] : jobs_of_shard) {
    EXPECT_EQ(count, 1) << shard;
  }
}

TEST_F(RunTest, ALostCreateAnswerIsFoundAgainNotBoughtAgain) {
  (void)folder_.Write("corpus.jsonl", Corpus(60));
  for (const std::string fault : {"create-lost=503", "create-lost=reset"}) {
    StartService({fault});
    StartOver();
    const auto summary = Go(Options());
    ASSERT_TRUE(summary.has_value()) << summary.error().message;
    EXPECT_EQ(summary->ok, 60u);
    EXPECT_EQ(summary->jobs_created, 3u);
  }
  for (const auto& [name, count] : JobsMade()) {
    EXPECT_EQ(count, 1) << name;
  }
  EXPECT_EQ(JobsMade().size(), 6u) << "one job a shard in each of the two runs";
}

TEST_F(RunTest, LinesThatTheServiceDropsDoublesOrMangledAreNamed) {
  (void)folder_.Write("corpus.jsonl", Corpus(60));
  for (const std::string fault :
       {"drop-line=0.1", "duplicate-line=3", "no-key=0.1", "cut-last-line", "cut-download=1"}) {
    StartService({fault});
    StartOver();
    RunOptions options = Options();
    options.attempts_max = 1;  // what is lost is not asked again
    const auto summary = Go(options);
    ASSERT_TRUE(summary.has_value()) << fault << ": " << summary.error().message;
    EXPECT_EQ(summary->ok + summary->failed, 60u) << fault;
    const bool loses =
        fault.starts_with("drop") || fault.starts_with("no-key") || fault.starts_with("cut-last");
    EXPECT_EQ(summary->failed > 0, loses) << fault;
    EXPECT_EQ(summary->duplicates > 0, fault.starts_with("duplicate")) << fault;
  }
}

// Brings other answers than the service sent.
class OtherAnswers final : public Transport {
 public:
  using Change = std::function<std::string(const std::string& answers)>;
  OtherAnswers(Transport& inner, Change change) : inner_(inner), change_(std::move(change)) {}

  Result<HttpResponse> Send(const HttpRequest& request) override {
    if (request.url.find(":download") == std::string::npos) {
      return inner_.Send(request);
    }
    ++downloads;
    std::string answers;
    HttpRequest whole = request;
    whole.head_reader = {};
    whole.body_writer = [&](std::span<const std::byte> bytes) -> Result<void> {
      answers.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return {};
    };
    SLUICE_ASSIGN(const HttpResponse response, inner_.Send(whole));
    SLUICE_TRY(request.head_reader({.status = 200}));
    SLUICE_TRY(request.body_writer(AsBytes(change_(answers))));
    return response;
  }

  std::atomic<int> downloads = 0;

 private:
  Transport& inner_;
  Change change_;
};

class NoDownloads final : public Transport {
 public:
  explicit NoDownloads(Transport& inner) : inner_(inner) {}

  Result<HttpResponse> Send(const HttpRequest& request) override {
    return request.url.find(":download") == std::string::npos
               ? inner_.Send(request)
               : HttpResponse{.status = 400, .body = R"({"error":{"code":400,"message":"no"}})"};
  }

 private:
  Transport& inner_;
};

TEST_F(RunTest, ADownloadThatIsRefusedSaysWhatCanBeDone) {
  (void)folder_.Write("corpus.jsonl", Corpus(10));
  StartService();
  NoDownloads refusing(*transport_);
  const auto summary = Go(Options(), {}, refusing);
  ASSERT_EQ(summary.error().code, ErrorCode::kRefused);
  EXPECT_TRUE(summary.error().hint.starts_with("`sluice jobs get batches/"))
      << summary.error().hint;
  EXPECT_EQ(Go(Options())->ok, 10u);
}

TEST_F(RunTest, APageInPlaceOfTheAnswersIsNamedInTheRowsThatItCost) {
  (void)folder_.Write("corpus.jsonl", Corpus(10));
  StartService();
  OtherAnswers signing_in(*transport_, [](const std::string&) {
    return std::string("<html>\n<title>Sign in</title> ") + kTestKey;
  });
  RunOptions options = Options();
  options.attempts_max = 1;
  options.poll_first = options.poll_max = milliseconds(1);
  const auto summary = Go(options, {}, signing_in);
  ASSERT_TRUE(summary.has_value()) << summary.error().message;
  EXPECT_EQ(summary->failed_by_class, (std::map<std::string, uint64_t>{{"missing", 10}}));
  const std::string message = Report()["failures"][0]["error"]["message"];
  EXPECT_NE(message.find("it begins with '<html>\\x0a<title>Sign in</title>"), std::string::npos)
      << message;
  EXPECT_EQ(message.find(kTestKey), std::string::npos) << message;
  EXPECT_EQ(signing_in.downloads, 20);
}

TEST_F(RunTest, TwoAnswersToOneRowThatDifferAreCountedAndTheFirstRowIsNamed) {
  (void)folder_.Write("corpus.jsonl", Corpus(10));
  StartService();
  OtherAnswers doubled(*transport_, [](std::string answers) {
    std::string value = "0.5";
    for (int i = 1; i < 16; ++i) {
      value += ",0.5";
    }
    for (const char* key : {"000000000007", "000000000004"}) {
      answers += fmt::format(
          "{{\"key\":\"{}\",\"response\":{{\"embedding\":{{\"values\":[{}]}}}}}}\n", key, value);
    }
    return answers;
  });
  const auto summary = Go(Options(), {}, doubled);
  ASSERT_TRUE(summary.has_value()) << summary.error().message;
  EXPECT_EQ(summary->conflicts, 2u);
  EXPECT_EQ(Report()["answers"]["conflicts"], 2);
  EXPECT_EQ(Report()["answers"]["first_conflict"], 4);
  const std::string with_both = Output();
  StartOver();
  ASSERT_TRUE(Go(Options()).has_value());
  EXPECT_EQ(Output(), with_both) << "the first answer counts";
  EXPECT_TRUE(Report()["answers"]["first_conflict"].is_null());
}

TEST_F(RunTest, AnswersThatBreakOffAndBeginAnewAreReadAnew) {
  (void)folder_.Write("corpus.jsonl", Corpus(60));
  StartService();
  ASSERT_TRUE(Go(Options()).has_value());
  const std::string bytes = Output();
  std::filesystem::remove_all(folder_.Path("v.npy.sluice"));
  std::filesystem::remove_all(folder_.Path("service"));
  StartService({"cut-download=1@4", "range-ignored"});
  const auto again = Go(Options());
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_EQ(again->ok, 60u);
  EXPECT_EQ(again->duplicates, 0u);
  EXPECT_EQ(Output(), bytes);
}

TEST_F(RunTest, FindsTheDimensionByItselfWhileAnswersArrive) {
  (void)folder_.Write("corpus.jsonl", Corpus(3));
  StartService();
  RunOptions options = Options(1);
  options.request.dimension = 0;
  const auto summary = Go(options);
  ASSERT_TRUE(summary.has_value()) << summary.error().message;
  EXPECT_GT(summary->dimension, 0);
  EXPECT_EQ(Output().size(), 128u + 3 * static_cast<size_t>(summary->dimension) * sizeof(float));
}

TEST_F(RunTest, ACapEndsARunThatWaitsForTheDimensionOfOtherShards) {
  (void)folder_.Write("corpus.jsonl", Corpus(4));
  StartService({"fail-job"});
  RunOptions options = Options(2);
  options.request.dimension = 0;
  options.attempts_max = 1;
  options.cap.jobs_max = 1;
  const auto summary = Go(options);
  ASSERT_FALSE(summary.has_value());
  EXPECT_EQ(summary.error().code, ErrorCode::kBudget);
  StartService();
  options.cap.jobs_max = 2;
  const auto more = Go(options);
  ASSERT_TRUE(more.has_value()) << more.error().message;
  EXPECT_EQ(more->ok, 2u);
  EXPECT_EQ(more->failed, 2u);
}

TEST_F(RunTest, KeepsTheRawAnswersOnRequestOnly) {
  (void)folder_.Write("corpus.jsonl", Corpus(30));
  StartService();
  ASSERT_TRUE(Go(Options()).has_value());
  EXPECT_FALSE(std::filesystem::exists(folder_.Path("v.npy.sluice/answers")));
  RunOptions options = Options();
  options.run_folder = folder_.Path("kept");
  options.output = folder_.Path("kept.npy");
  options.keep_answers = true;
  ASSERT_TRUE(Go(options).has_value());
  size_t lines = 0;
  for (const char* name : {"kept/answers/00000.jsonl.zst", "kept/answers/00001.jsonl.zst"}) {
    LineReader reader(OpenShard(*files_, folder_.Path(name)).value());
    while (reader.Next().value().has_value()) {
      ++lines;
    }
  }
  EXPECT_EQ(lines, 30u);
}

TEST_F(RunTest, JobsThatExpireAreTriedAgainAndThenGivenUp) {
  (void)folder_.Write("corpus.jsonl", Corpus(20));
  StartService({"expire"});
  RunOptions options = Options();
  options.attempts_max = 2;
  const auto summary = Go(options);
  ASSERT_TRUE(summary.has_value()) << summary.error().message;
  EXPECT_EQ(summary->jobs_created, 2u);
  EXPECT_EQ(summary->failed, 20u);
  EXPECT_EQ(summary->exit_code, 6);
}

TEST_F(RunTest, RefusesAChangedSettingAndAChangedCorpus) {
  (void)folder_.Write("corpus.jsonl", Corpus(10));
  StartService();
  ASSERT_TRUE(Go(Options()).has_value());
  RunOptions changed = Options();
  changed.request.dimension = 32;
  const auto setting = Go(changed);
  ASSERT_FALSE(setting.has_value());
  EXPECT_EQ(setting.error().code, ErrorCode::kUsage);
  EXPECT_NE(setting.error().message.find("--dim was 16"), std::string::npos);
  (void)folder_.Write("corpus.jsonl", Corpus(11));
  const auto corpus = Go(Options());
  ASSERT_FALSE(corpus.has_value());
  EXPECT_EQ(corpus.error().code, ErrorCode::kInput);
}

// Throws when it is asked for the second time.
class BrokenClock final : public Clock {
 public:
  [[nodiscard]] MonotonicTime Now() const override {
    return ++asked_ == 2 ? throw std::logic_error("broken") : clock_.Now();
  }
  [[nodiscard]] WallTime WallNow() const override { return clock_.WallNow(); }
  bool SleepUntil(MonotonicTime time, std::stop_token stop) override {
    return clock_.SleepUntil(time, std::move(stop));
  }

 private:
  SystemClock clock_;
  mutable std::atomic<int> asked_ = 0;
};

TEST_F(RunTest, AnExceptionOfTheTrackerStopsThePackingAndIsAnError) {
  (void)folder_.Write("corpus.jsonl", Corpus(60));
  StartService();
  BrokenClock broken;
  const auto stopped = Go(Options(), {}, *transport_, broken);
  ASSERT_FALSE(stopped.has_value());
  EXPECT_EQ(stopped.error().code, ErrorCode::kInternal);
  const auto resumed = Go(Options());
  ASSERT_TRUE(resumed.has_value()) << resumed.error().message;
  EXPECT_EQ(resumed->ok, 60u);
}

TEST_F(RunTest, OnlyOneProcessWorksOnARun) {
  (void)folder_.Write("corpus.jsonl", Corpus(10));
  StartService();
  const RunDirectory directory(Options().run_folder);
  ASSERT_TRUE(directory.Make(*files_).has_value());
  const auto lock = RunLock::Take(directory.lock());
  ASSERT_TRUE(lock.has_value());
  const auto result = Go(Options());
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::kLocked);
}

TEST_F(RunTest, ACorpusOfNothingButBadLinesSaysWhatTheFirstOneLacks) {
  (void)folder_.Write("corpus.jsonl", "{\"body\":\"x\",\"id\":1}\n");
  StartService();
  const auto result = Go(Options());
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::kInput);
  EXPECT_NE(result.error().message.find("no field \"text\" (fields: body, id)"), std::string::npos)
      << result.error().message;
}

TEST_F(RunTest, OnErrorFailEndsTheRunAtTheFirstRefusedLine) {
  (void)folder_.Write("corpus.jsonl", Corpus(5) + "{}\n");
  StartService();
  RunOptions options = Options();
  options.on_error = OnError::kFail;
  const auto result = Go(options);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::kInput);
  EXPECT_NE(result.error().message.find(":6: no field"), std::string::npos)
      << result.error().message;
}

TEST_F(RunTest, SkippedRowsAreAbsentFromArrayAndIds) {
  (void)folder_.Write("corpus.jsonl", Corpus(60));
  StartService({"item-error-13=0.3"});
  RunOptions options = Options();
  options.on_error = OnError::kSkip;
  const auto summary = Go(options);
  ASSERT_TRUE(summary.has_value()) << summary.error().message;
  EXPECT_GT(summary->failed, 0u);
  EXPECT_EQ(Output().size(), 128 + summary->ok * 16 * 4);
  const std::string ids = TempFolder::Read(folder_.Path("v.ids.jsonl"));
  EXPECT_EQ(static_cast<uint64_t>(std::ranges::count(ids, '\n')), summary->ok);
}

TEST_F(RunTest, GenerationGivesAnswersInInputOrder) {
  (void)folder_.Write("corpus.jsonl", Corpus(45));
  StartService();
  RunOptions options = Options();
  options.request = {};
  options.request.task = Task::kGenerate;
  options.request.model = "sluice-echo-1";
  options.request.prompt_template = "Repeat: {{text}}";
  options.output = folder_.Path("a.jsonl");
  const auto summary = Go(options);
  ASSERT_TRUE(summary.has_value()) << summary.error().message;
  std::ifstream answers(options.output);
  int row = 0;
  for (std::string line; std::getline(answers, line); ++row) {
    const Json answer = ParseJson(line);
    EXPECT_EQ(answer["row"], row);
    EXPECT_EQ(answer["id"], fmt::format("d{}", row));
    EXPECT_NE(answer["text"].get<std::string>().find(fmt::format("document {} about", row)),
              std::string::npos);
    EXPECT_EQ(answer["finish_reason"], "STOP");
    EXPECT_TRUE(answer["usage"].contains("prompt_tokens"));
  }
  EXPECT_EQ(row, 45);
}

}  // namespace
}  // namespace sluice
