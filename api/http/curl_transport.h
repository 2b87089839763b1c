// The Transport that speaks over the network, through libcurl.
//
// HTTP/1.1 always: each exchange has a connection of its own anyway, and large bodies move faster
// than over this libcurl's HTTP/2. Connections are kept and used again, but for requests that ask
// for a fresh one. The process must ignore SIGPIPE: libcurl is told to leave signals alone.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "api/http/transport.h"

namespace sluice {

struct CurlTransportOptions {
  std::string user_agent = "sluice";
  std::string ca_file = {};  // certificates to trust instead of the system's, in PEM
  std::chrono::milliseconds connect_timeout{30'000};
};

[[nodiscard]] std::unique_ptr<Transport> MakeCurlTransport(const CurlTransportOptions& options);

}  // namespace sluice
