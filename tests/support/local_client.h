// A library client that speaks to a local service inside the test.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "api/sluice.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_key.h"
#include "tools/emulator/emulator.h"

namespace sluice {

struct LocalClient {
  explicit LocalClient(std::vector<std::string> faults = {},
                       std::chrono::milliseconds job_latency = std::chrono::milliseconds(1)) {
    EmulatorOptions options;
    options.state_folder = folder.Path("service");
    options.job_latency_min = job_latency;
    options.job_latency_max = job_latency;
    options.faults = std::move(faults);
    emulator = Emulator::Start(std::move(options)).value();
    client = MakeClient({.api_key = kTestKey,
                         .base_url = emulator->base_url(),
                         .retry = {.attempts_max = 10,
                                   .first_wait = std::chrono::milliseconds(1),
                                   .wait_max = std::chrono::milliseconds(5)}})
                 .value();
  }

  const Batches& batches() const { return client->batches(); }
  Files& files() { return client->files(); }

  // Embedding requests with keys "0", "1", ...
  static std::vector<InlineRequest> Requests(int count) {
    std::vector<InlineRequest> requests;
    for (int i = 0; i < count; ++i) {
      requests.push_back({.key = std::to_string(i),
                          .request = R"({"content":{"parts":[{"text":"text )" + std::to_string(i) +
                                     R"("}]},"outputDimensionality":8})"});
    }
    return requests;
  }
  // The same as lines of a file.
  static std::string Lines(int count) {
    std::string lines;
    for (const InlineRequest& request : Requests(count)) {
      lines += R"({"key":")" + request.key + R"(","request":)" + request.request + "}\n";
    }
    return lines;
  }
  Result<BatchJob> Wait(const BatchJob& job) {
    return batches().Wait(job.name, {.poll_interval = std::chrono::milliseconds(2)});
  }

  TempFolder folder;
  std::unique_ptr<Emulator> emulator;
  std::unique_ptr<Client> client;
};

}  // namespace sluice
