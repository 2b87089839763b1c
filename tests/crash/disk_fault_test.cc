// Whole runs on a disk that fails at the N-th call of a kind, or loses its power at the N-th sync:
// a run that goes on without faults comes to the same bytes, and no job is made twice.
//
// The ledger is SQLite's and stands on the real disk: it knows everything up to the cut, so that
// what it relies on must be durable before it is noted. (Cuts of the ledger itself:
// power_cut_test.py.) Some of all places; with SLUICE_LONG=1 every one.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>

#include "api/http/curl_transport.h"
#include "engine/run.h"
#include "io/json/json_document.h"
#include "tests/support/faulty_file_system.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_key.h"
#include "tools/emulator/emulator.h"

namespace sluice {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;

constexpr uint64_t kShards = 3;

bool IsLong() {
  const char* text = std::getenv("SLUICE_LONG");
  return text != nullptr && std::string_view(text) == "1";
}

// With a refused line, and one too long to be held.
std::string Corpus() {
  std::string text;
  for (uint64_t i = 0; i < kShards * 4; ++i) {
    text +=
        fmt::format("{{\"id\":\"d{}\",\"text\":\"document {} about topic {}\"}}\n", i, i, i % 7);
    text += i == 5 ? "{\"broken\"\n" : "";
    text += i == 6 ? "{\"text\":\"" + std::string(3000, 'x') + "\"}\n" : "";
  }
  return text;
}

class DiskFaultTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    EmulatorOptions options;
    options.state_folder = folder_.Path("service");
    options.job_latency_min = milliseconds(1);
    options.job_latency_max = milliseconds(2);
    service_ = Emulator::Start(options).value();
    (void)folder_.Write("corpus.jsonl", Corpus());
    NewRun();
    ASSERT_TRUE(Go().has_value());
    wanted_ = Outputs();
    run_syncs_ = disk_->sync_count();
    for (size_t i = 0; i < kDiskCallCount; ++i) {
      counts_[static_cast<DiskCall>(i)] = disk_->Count(static_cast<DiskCall>(i));
    }
  }

  // The next run is a new one, in a folder and on a disk of its own.
  void NewRun() {
    ++run_;
    const std::string folder = folder_.Path(fmt::format("run{}", run_));
    ASSERT_TRUE(real_->MakeFolders(folder).has_value());
    disk_ = std::make_unique<FaultyFileSystem>(*real_, folder);
    options_ = {};
    options_.corpus.inputs = {folder_.Path("corpus.jsonl")};
    options_.corpus.line_bytes_max = 2000;
    options_.request.model = "sluice-lexical-1";
    options_.request.dimension = 8;
    options_.request.task_type = "RETRIEVAL_DOCUMENT";
    options_.output = folder + "/v" + GetParam();
    options_.run_folder = folder + "/v.sluice";
    options_.limits.rows_max = 4;
    options_.threads = 2;
    options_.poll_first = milliseconds(2);
    options_.poll_max = milliseconds(5);
    options_.settle = milliseconds(10);
    options_.account = "test";
  }

  Result<RunSummary> Go() {
    ProviderOptions provider_options;
    provider_options.base_url = service_->base_url();
    provider_options.api_key = kTestKey;
    const auto provider = MakeProvider("gemini", provider_options, *transport_, clock_).value();
    Progress progress;
    RunEnvironment environment{
        .files = *disk_, .clock = clock_, .provider = *provider, .progress = progress, .stop = {}};
    return sluice::Run(options_, environment);
  }

  std::map<std::string, std::string> Outputs() {
    std::map<std::string, std::string> outputs;
    for (const std::string& path :
         {options_.output, options_.run_folder + "/ids.jsonl",
          options_.run_folder + "/shards/00000.jsonl.zst",
          options_.run_folder + "/shards/00002.jsonl.zst",
          options_.run_folder + "/rejects/000000-" + kLongLinePlace + ".bin"}) {
      EXPECT_TRUE(real_->Exists(path)) << path;
      outputs[path.substr(path.find("/v") + 1)] = TempFolder::Read(path);
    }
    return outputs;
  }

  // Jobs as the service counts them: one for each shard of each run.
  void ExpectOneJobForEachShard() {
    std::map<std::string, int> jobs;
    std::ifstream journal(folder_.Path("service/journal.jsonl"));
    for (std::string line; std::getline(journal, line);) {
      const Json entry = ParseJson(line);
      if (entry.value("event", "") == "create") {
        const std::string name = entry.value("displayName", "");
        ++jobs[name.substr(0, name.rfind('/'))];
      }
    }
    EXPECT_EQ(jobs.size(), run_ * kShards);
    for (const auto& [name, count] : jobs) {
      EXPECT_EQ(count, 1) << name;
    }
  }

  // To the end, without faults; and the disk keeps what a run promised when it ended.
  void ExpectWhole() {
    const Result<RunSummary> summary = Go();
    ASSERT_TRUE(summary.has_value()) << summary.error().message;
    EXPECT_EQ(Outputs(), wanted_);
    disk_->Restore(CutImage::kSyncedOnly, 0);
    EXPECT_EQ(Outputs(), wanted_) << "after a power cut when all was done";
    EXPECT_FALSE(real_->Exists(options_.output + ".tmp"));
  }

  // Every place of a kind, or some of them.
  static uint64_t Step() { return IsLong() ? 1 : 3; }

  void FailEach(DiskCall call, bool from_then_on, int error_number) {
    uint64_t failures = 0;
    for (uint64_t nth = 1; nth <= counts_[call]; nth += Step()) {
      SCOPED_TRACE(fmt::format("call {} of kind {}", nth, static_cast<int>(call)));
      NewRun();
      disk_->Arm(
          {.call = call, .nth = nth, .from_then_on = from_then_on, .error_number = error_number});
      const Result<RunSummary> summary = Go();
      if (!summary.has_value()) {
        ++failures;
        EXPECT_EQ(summary.error().code, ErrorCode::kIo) << summary.error().message;
      }
      disk_->Disarm();
      ExpectWhole();
    }
    EXPECT_GT(failures, 0U);
    ExpectOneJobForEachShard();
  }

  static constexpr const char* kLongLinePlace = "332";

  TempFolder folder_;
  std::unique_ptr<FileSystem> real_ = MakePosixFileSystem();
  SystemClock clock_;
  std::unique_ptr<Transport> transport_ = MakeCurlTransport({});
  std::unique_ptr<Emulator> service_;
  std::unique_ptr<FaultyFileSystem> disk_;
  RunOptions options_;
  uint64_t run_ = 0;
  std::map<std::string, std::string> wanted_;
  uint64_t run_syncs_ = 0;
  std::map<DiskCall, uint64_t> counts_;
};

TEST_P(DiskFaultTest, GoesOnAfterAFullDisk) { FailEach(DiskCall::kWrite, true, ENOSPC); }

TEST_P(DiskFaultTest, TakesNothingForDurableThatCouldNotBeSynced) {
  FailEach(DiskCall::kSync, false, EIO);
}

TEST_P(DiskFaultTest, TakesNoNameForDurableThatCouldNotBeSynced) {
  FailEach(DiskCall::kSyncFolder, false, EIO);
}

TEST_P(DiskFaultTest, GoesOnAfterFilesThatCouldNotBeOpened) {
  FailEach(DiskCall::kOpen, false, EMFILE);
}

TEST_P(DiskFaultTest, GoesOnAfterOtherFailures) {
  FailEach(DiskCall::kRename, false, EIO);
  FailEach(DiskCall::kTruncate, false, EIO);
  FailEach(DiskCall::kMakeFolders, false, ENOSPC);
}

TEST_P(DiskFaultTest, GoesOnAfterAPowerCutAtAnySync) {
  const uint64_t seed = std::random_device{}();
  uint64_t cuts = 0;
  const uint64_t step = IsLong() ? 1 : 8;
  for (uint64_t nth = 1 + seed % step; nth <= run_syncs_; nth += step) {
    for (const CutImage image : kCutImages) {
      SCOPED_TRACE(fmt::format("seed {}, image {} at sync {} of {}", seed, static_cast<int>(image),
                               nth, run_syncs_));
      NewRun();
      disk_->CutPowerAtSync(nth);
      EXPECT_FALSE(Go().has_value());
      disk_->Restore(image, seed + cuts);
      ++cuts;
      ExpectWhole();
    }
  }
  EXPECT_GE(cuts, 20U);
  ExpectOneJobForEachShard();
}

INSTANTIATE_TEST_SUITE_P(Formats, DiskFaultTest, testing::Values(".npy", ".jsonl"),
                         [](const auto& format) { return format.param.substr(1); });

}  // namespace
}  // namespace sluice
