#include "tools/emulator/emulator.h"

#include <filesystem>
#include <fstream>
#include <sys/wait.h>

#include "io/json/json_document.h"
#include "tests/tools/emulator/local_api.h"
#include "tools/emulator/jobs.h"
#include "tools/emulator/uploads.h"

namespace sluice {
namespace {

TEST(Emulator, ListensOnLoopbackOnly) {
  TempFolder folder;
  for (const char* listen : {"0.0.0.0:0", "192.168.0.1:0", "example.com:80", "127.0.0.1", "8787",
                             "127.0.0.1:99999", "127.0.0.1:x", "[::]:0"}) {
    EmulatorOptions options;
    options.listen = listen;
    options.state_folder = folder.path();
    const auto started = Emulator::Start(options);
    ASSERT_FALSE(started.has_value()) << listen;
    EXPECT_EQ(started.error().code, ErrorCode::kUsage) << listen;
  }
}

TEST(Emulator, RefusesUnknownFaults) {
  LocalApi api({"no-such-fault"});
  const auto started = Emulator::Start(api.options);
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().code, ErrorCode::kUsage);
}

TEST(Emulator, CountsWhatItWasAskedAndDid) {
  LocalApi api;
  api.Start();
  api.WaitForEnd(api.Create(api.Upload(RequestLines(2))));
  const OrderedJson counters =
      ParseOrderedJson(CallOnce(api.emulator->port(), "GET", "/_sluice/counters").body);
  EXPECT_EQ(counters["jobsCreated"], 1);
  EXPECT_EQ(counters["requests"]["batches.create"], 1);
  EXPECT_EQ(counters["requests"]["upload"], 2);
  EXPECT_GE(counters["bytesReceived"].get<size_t>(), RequestLines(2).size());
}

TEST(Emulator, JournalNotesWhatMattersAndNoSecrets) {
  LocalApi api;
  api.Start();
  const std::string upload = api.StartUpload();
  api.Send(upload, "upload, finalize", 0, RequestLines(2));
  const OrderedJson ended = api.WaitForEnd(api.Create(api.Upload(RequestLines(2)), "paid for"));
  (void)api.Download(ended);
  api.CallJson("DELETE", "/v1beta/" + ended["name"].get<std::string>());
  api.emulator.reset();  // the end of a job can be seen before it is noted
  const std::string journal = api.Journal();
  for (const char* event : {"upload.finalize", "create", "end", "download", "delete"}) {
    EXPECT_NE(journal.find("\"event\":\"" + std::string(event) + "\""), std::string::npos) << event;
  }
  EXPECT_NE(journal.find("\"displayName\":\"paid for\""), std::string::npos);
  EXPECT_EQ(journal.find(kTestKey), std::string::npos);
  EXPECT_EQ(journal.find("upload_id"), std::string::npos);
  for (const OrderedJson& line : ParseLines(journal)) {
    EXPECT_TRUE(line.contains("time"));
  }
}

TEST(Emulator, GoesOnWithFilesUploadsAndJobs) {
  LocalApi api({"stuck-pending=1"});
  api.Start();
  const std::string file = api.Upload(RequestLines(3));
  const std::string stuck = api.Create(file);
  const std::string done = api.Create(file);
  const std::string results = api.Download(api.WaitForEnd(done));
  const std::string upload = api.StartUpload(R"({"displayName":"half"})");
  api.Send(upload, "upload", 0, std::string(8'388'608, 'a'));

  api.options.faults = {};
  api.Start();
  EXPECT_EQ(api.CallJson("GET", "/v1beta/" + file)["sizeBytes"],
            std::to_string(RequestLines(3).size()));
  EXPECT_EQ(api.CallJson("GET", "/v1beta/" + stuck)["metadata"]["state"], "BATCH_STATE_PENDING");
  EXPECT_EQ(api.Download(api.CallJson("GET", "/v1beta/" + done)), results);
  EXPECT_EQ(api.Send(upload, "query", 0, "").Header("x-goog-upload-size-received"), "8388608");
  const WireReply last = api.Send(upload, "upload, finalize", 8'388'608, "b");
  EXPECT_EQ(ParseOrderedJson(last.body)["file"]["displayName"], "half");
  EXPECT_EQ(ParseOrderedJson(last.body)["file"]["sizeBytes"], "8388609");
}

TEST(Emulator, RunsAgainWhatWasRunning) {
  LocalApi api({"stuck-pending=1"});
  api.Start();
  const std::string job = api.Create(api.Upload(RequestLines(3)));
  const std::string document = api.folder.Path("jobs/" + job.substr(8) + ".json");
  api.emulator->Stop();
  // As a kill leaves it in the middle of the run.
  OrderedJson json = ParseOrderedJson(TempFolder::Read(document));
  json["state"] = static_cast<int>(EmulatedState::kRunning);
  json["fate"] = static_cast<int>(JobFate::kRun);
  std::ofstream(document) << json.dump();
  std::ofstream(api.folder.Path("jobs/" + job.substr(8) + ".results.part")) << "{\"half";
  api.options.faults = {};
  api.Start();
  EXPECT_EQ(ParseLines(api.Download(api.WaitForEnd(job))).size(), 3U);
}

TEST(Emulator, FinishesAnUploadThatAKillCaughtBeforeItWasWrittenDown) {
  LocalApi api;
  api.Start();
  const std::string upload = api.StartUpload();
  const WireReply reply = api.Send(upload, "upload, finalize", 0, "abc");
  api.emulator->Stop();
  for (const auto& entry : std::filesystem::directory_iterator(api.folder.Path("uploads"))) {
    OrderedJson json = ParseOrderedJson(TempFolder::Read(entry.path().string()));
    json["state"] = static_cast<int>(UploadState::kActive);
    std::ofstream(entry.path()) << json.dump();
  }
  api.Start();
  const WireReply again = api.Send(upload, "query", 0, "");
  EXPECT_EQ(again.Header("x-goog-upload-status"), "final");
  EXPECT_EQ(ParseOrderedJson(again.body)["file"]["name"],
            ParseOrderedJson(reply.body)["file"]["name"]);
}

// A process of its own that is killed while it works: what it answered for is there afterwards.
TEST(Emulator, SurvivesKillNine) {
  LocalApi api;
  std::vector<std::string> created;
  std::string file;
  for (int round = 0; round < 3; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      auto emulator = Emulator::Start(api.options);
      const int port = emulator.has_value() ? (*emulator)->port() : 0;
      (void)!::write(pipe_ends[1], &port, sizeof port);
      ::pause();
      ::_exit(0);
    }
    int port = 0;
    ASSERT_EQ(::read(pipe_ends[0], &port, sizeof port), static_cast<ssize_t>(sizeof port));
    ASSERT_NE(port, 0);
    const WireHeaders key = {{"x-goog-api-key", "k"}};
    if (round == 0) {
      const WireReply start =
          CallOnce(port, "POST", "/upload/v1beta/files",
                   {{"x-goog-api-key", "k"}, {"X-Goog-Upload-Command", "start"}});
      const std::string url = start.Header("x-goog-upload-url");
      const WireReply reply =
          CallOnce(port, "POST", url.substr(std::string("http://localhost").size()),
                   {{"X-Goog-Upload-Command", "upload, finalize"}}, RequestLines(30'000));
      file = ParseOrderedJson(reply.body)["file"]["name"];
    }
    const WireReply reply =
        CallOnce(port, "POST", "/v1beta/models/sluice-lexical-1:asyncBatchEmbedContent", key,
                 R"({"batch":{"inputConfig":{"fileName":")" + file + "\"}}}");
    created.push_back(ParseOrderedJson(reply.body)["name"]);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(pipe_ends[0]);
    ::close(pipe_ends[1]);
  }
  api.Start();
  for (const std::string& job : created) {
    EXPECT_EQ(ParseLines(api.Download(api.WaitForEnd(job))).size(), 30'000U);
  }
  EXPECT_EQ(CountOf(api.Journal(), "\"event\":\"create\""), 3U);
}

TEST(Emulator, StopEndsARunAndKeepsTheJob) {
  LocalApi api;
  api.Start();
  const std::string job = api.Create(api.Upload(RequestLines(30'000)));
  api.emulator->Stop();
  api.emulator->Stop();
  api.Start();
  EXPECT_EQ(ParseLines(api.Download(api.WaitForEnd(job))).size(), 30'000U);
}

TEST(Emulator, ServesManyClientsAtOnce) {
  LocalApi api;
  api.options.workers = 2;
  api.Start();
  const std::string file = api.Upload(RequestLines(100));
  std::vector<std::jthread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&] {
      for (int j = 0; j < 3; ++j) {
        EXPECT_EQ(ParseLines(api.Download(api.WaitForEnd(api.Create(file)))).size(), 100U);
      }
    });
  }
  clients.clear();
  EXPECT_EQ(api.emulator->counters().jobs_created, 24U);
}

}  // namespace
}  // namespace sluice
