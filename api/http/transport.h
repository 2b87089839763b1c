// Transport: sends one HTTP request and brings one answer. Retry, tracing and pacing wrap it.
//
// A transport never follows a redirect, asks for no content coding and refuses answers that have
// one (a bomb is never unpacked, a cut pack never taken for a whole one), verifies TLS always
// and speaks plain http only to loopback and to a cloud machine's metadata server, which has
// nothing else (see IsMetadataServer). It repeats nothing by itself, with one exception that it
// cannot help: see HttpRequest::fresh_connection. Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/base/error.h"

namespace sluice {

// A body that is produced while it is sent. Fills `buffer` and returns the byte count, 0 at the
// end.
using BodyReader = std::function<Result<size_t>(std::span<std::byte> buffer)>;
// Takes body bytes as they arrive. An Error ends the exchange and comes back from Send().
using BodyWriter = std::function<Result<void>(std::span<const std::byte> bytes)>;

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers = {};  // names lower-cased
  std::string body = {};

  // The first header of that (lower-case) name.
  [[nodiscard]] std::optional<std::string_view> Header(std::string_view name) const;
  [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
};

// What moves more slowly stands still: no link of today is as slow, and a service that sends one
// byte every 50 ms would otherwise hold a download for ever.
inline constexpr int kStallBytesPerSecond = 256;

// Looks at status and headers of a 2xx answer before its first body byte is given to the writer.
using HeadReader = std::function<Result<void>(const HttpResponse& head)>;

struct HttpRequest {
  std::string method = "GET";
  std::string url = {};
  // What messages call this request; empty: the method and the path without its query.
  std::string label = {};
  // Name, value. Values with CR, LF or NUL are refused.
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};  // used when `body_reader` is empty
  BodyReader body_reader = {};
  uint64_t body_size = 0;  // of what `body_reader` will give
  HeadReader head_reader = {};
  // Where a 2xx body goes; empty: into HttpResponse::body. Other bodies always go there, and are
  // bounded by 1 MiB when there is a writer.
  BodyWriter body_writer = {};
  uint64_t answer_bytes_max = uint64_t{64} << 20;  // headers bounded apart: 64 KiB, 256 of them
  std::chrono::milliseconds timeout{120'000};      // whole exchange; 0: none
  // Gives up when fewer than kStallBytesPerSecond moved for this long (rounded up to seconds).
  std::chrono::milliseconds stall_timeout{60'000};
  // Send on a connection that carried nothing before and is closed behind: libcurl repeats a POST
  // by itself on a reused connection that dies (lib/transfer.c, Curl_retry_request).
  bool fresh_connection = false;
  std::stop_token stop = {};
};

// What messages call a request: its label, else method and path.
[[nodiscard]] std::string WhatWasAsked(const HttpRequest& request);

class Transport {
 public:
  virtual ~Transport() = default;
  // Any complete answer is a value, whatever its status. Errors: kUsage (refused before anything
  // was sent: an address or a header that must not be used), kNotSent (name not resolved, not
  // connected: nothing left this machine), kTransport (broken, stalled, timed out, too large),
  // kBadAnswer (a 2xx answer in a content coding), kUnfinished (stopped), or the Error of a body
  // reader, a head reader or a writer.
  [[nodiscard]] virtual Result<HttpResponse> Send(const HttpRequest& request) = 0;
};

}  // namespace sluice
