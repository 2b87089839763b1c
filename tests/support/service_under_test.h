// A GoogleService over the real transport that speaks to a ScriptedServer, with a clock that does
// not wait.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/http/curl_transport.h"
#include "api/http/google_service.h"
#include "tests/support/manual_clock.h"
#include "tests/support/scripted_server.h"
#include "tests/support/test_key.h"

namespace sluice {

struct ServiceUnderTest {
  explicit ServiceUnderTest(std::vector<Play> plays) : server(std::move(plays)) {
    GoogleServiceOptions options;
    options.base_url = server.url();
    options.api_key = kTestKey;
    service = GoogleService::Make(std::move(options), *transport, clock).value();
  }

  ScriptedServer server;
  ManualClock clock;
  std::unique_ptr<Transport> transport = MakeCurlTransport({});
  std::unique_ptr<GoogleService> service;
};

}  // namespace sluice
