// LocalApi: an Emulator over a temporary folder, and the calls that a client would make to it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "io/json/json_document.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_key.h"
#include "tests/tools/emulator/wire_client.h"
#include "tools/emulator/emulator.h"

namespace sluice {

using OrderedJson = nlohmann::ordered_json;

// Time that stands still until the test moves it; sleepers wake when their deadline is reached.
class HandClock final : public Clock {
 public:
  MonotonicTime Now() const override {
    const std::scoped_lock lock(mutex_);
    return now_;
  }
  WallTime WallNow() const override {
    const std::scoped_lock lock(mutex_);
    return WallTime(std::chrono::seconds(1'795'000'000) + now_.time_since_epoch());
  }
  bool SleepUntil(MonotonicTime deadline, std::stop_token stop) override {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, stop, [&] { return now_ >= deadline; });
    return !stop.stop_requested();
  }
  void Advance(std::chrono::milliseconds time) {
    const std::scoped_lock lock(mutex_);
    now_ += time;
    moved_.notify_all();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any moved_;
  MonotonicTime now_{};
};

class LocalApi {
 public:
  explicit LocalApi(std::vector<std::string> faults = {}) {
    options.state_folder = folder.path();
    options.job_latency_min = std::chrono::milliseconds(0);
    options.job_latency_max = std::chrono::milliseconds(0);
    options.faults = std::move(faults);
  }

  // Starts it, or ends it and starts it again over the same folder.
  void Start() {
    emulator.reset();
    auto started = Emulator::Start(options);
    ASSERT_TRUE(started.has_value()) << started.error().message;
    emulator = *std::move(started);
  }

  WireReply Call(const std::string& method, const std::string& target, std::string_view body = "",
                 WireHeaders headers = {}) const {
    headers.emplace_back("x-goog-api-key", kTestKey);
    return CallOnce(emulator->port(), method, target, headers, body);
  }
  OrderedJson CallJson(const std::string& method, const std::string& target,
                       std::string_view body = "") const {
    const WireReply reply = Call(method, target, body);
    EXPECT_EQ(reply.status, 200) << method << ' ' << target << '\n' << reply.body;
    return ParseOrderedJson(reply.body);
  }

  // The path and query of a new upload's URL.
  std::string StartUpload(const std::string& file = R"({"mimeType":"application/jsonl"})") const {
    const WireReply reply =
        Call("POST", "/upload/v1beta/files", R"({"file":)" + file + "}",
             {{"X-Goog-Upload-Protocol", "resumable"}, {"X-Goog-Upload-Command", "start"}});
    EXPECT_EQ(reply.status, 200) << reply.body;
    const std::string url = reply.Header("x-goog-upload-url");
    return url.substr(std::string("http://localhost").size());
  }
  WireReply Send(const std::string& upload, const std::string& commands, uint64_t offset,
                 std::string_view bytes) const {
    return CallOnce(
        emulator->port(), "POST", upload,
        {{"X-Goog-Upload-Command", commands}, {"X-Goog-Upload-Offset", std::to_string(offset)}},
        bytes);
  }
  // Uploads in one request; the file's name.
  std::string Upload(std::string_view bytes) const {
    const WireReply reply = Send(StartUpload(), "upload, finalize", 0, bytes);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return ParseOrderedJson(reply.body).at("file").at("name");
  }

  WireReply CreateFromFile(const std::string& file, const std::string& display_name = "job") const {
    return Call(
        "POST", "/v1beta/models/sluice-lexical-1:asyncBatchEmbedContent",
        OrderedJson{
            {"batch", {{"displayName", display_name}, {"inputConfig", {{"fileName", file}}}}}}
            .dump());
  }
  // A job over an uploaded file; its name.
  std::string Create(const std::string& file, const std::string& display_name = "job") const {
    const WireReply reply = CreateFromFile(file, display_name);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return ParseOrderedJson(reply.body).at("name");
  }
  // The finished Operation; polls, for at most a minute.
  OrderedJson WaitForEnd(const std::string& job) const {
    OrderedJson operation;
    for (int i = 0; i < 6000; ++i) {
      operation = CallJson("GET", "/v1beta/" + job);
      if (operation.contains("done")) {
        return operation;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "the job did not end: " << operation.dump(2);
    return operation;
  }
  std::string Download(const OrderedJson& operation) const {
    const std::string file = operation.at("response").at("responsesFile");
    return Call("GET", "/v1beta/" + file + ":download?alt=media").body;
  }

  std::string Journal() const { return TempFolder::Read(folder.Path("journal.jsonl")); }

  TempFolder folder;
  EmulatorOptions options;
  std::unique_ptr<Emulator> emulator;  // ends before its folder goes
};

// One embedding request line a key, with two dimensions.
[[nodiscard]] inline std::string RequestLines(int count) {
  std::string lines;
  for (int i = 0; i < count; ++i) {
    lines +=
        OrderedJson{{"key", "k" + std::to_string(i)},
                    {"request",
                     {{"content", {{"parts", {{{"text", "text number " + std::to_string(i)}}}}}},
                      {"outputDimensionality", 2}}}}
            .dump() +
        '\n';
  }
  return lines;
}

[[nodiscard]] inline std::vector<OrderedJson> ParseLines(const std::string& text) {
  std::vector<OrderedJson> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(ParseOrderedJson(line));
  }
  return lines;
}

[[nodiscard]] inline size_t CountOf(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

}  // namespace sluice
