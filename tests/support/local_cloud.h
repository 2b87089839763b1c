// A local service inside the test, with a bucket, and clients of Google Cloud that speak to it.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/auth/default_credentials.h"
#include "api/http/curl_transport.h"
#include "api/http/google_service.h"
#include "api/storage/storage_client.h"
#include "io/base/clock.h"
#include "tests/support/temp_folder.h"
#include "tools/emulator/emulator.h"

namespace sluice {

inline EnvironmentLookup EnvironmentOf(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

inline constexpr const char* kTestBucket = "test-bucket";

struct LocalCloud {
  explicit LocalCloud(std::vector<std::string> faults = {}) {
    options.state_folder = folder.Path("service");
    options.faults = std::move(faults);
    options.buckets = {kTestBucket};
    retry = {.attempts_max = 10,
             .first_wait = std::chrono::milliseconds(1),
             .wait_max = std::chrono::milliseconds(5)};
  }

  // Calls then need a token that lives so long.
  LocalCloud& WithSignIn(std::chrono::milliseconds token_life = std::chrono::hours(1)) {
    options.credentials_file = folder.Path("credentials.json");
    options.token_life = token_life;
    return *this;
  }

  // The service of Cloud Storage's calls; signed in when there is somebody to be.
  const GoogleService& service() {
    if (service_ == nullptr) {
      emulator = Emulator::Start(options).value();
      GoogleServiceOptions service_options{.base_url = emulator->base_url(), .api_version = "v1"};
      service_options.retry = retry;
      if (!options.credentials_file.empty()) {
        const auto environment =
            EnvironmentOf({{"GOOGLE_APPLICATION_CREDENTIALS", options.credentials_file}});
        service_options.tokens =
            FindDefaultCredentials(environment, *transport, clock).value().tokens;
      }
      service_ = GoogleService::Make(std::move(service_options), *transport, clock).value();
    }
    return *service_;
  }
  StorageClient storage() { return StorageClient(service()); }

  TempFolder folder;
  EmulatorOptions options;
  RetryPolicy retry;
  SystemClock clock;
  std::unique_ptr<Transport> transport = MakeCurlTransport({});
  std::unique_ptr<Emulator> emulator;

 private:
  std::unique_ptr<GoogleService> service_;
};

}  // namespace sluice
