// GoogleService: where a Google API lives, the key or the tokens it is called with, and how its
// calls are made, repeated and read. All clients of api/ stand on it. Thread-safe.
//
// Key and token go into one header, to the base address only, and are cut out of whatever the
// service says before anyone reads it. A token is asked for when a request is about to leave, so
// that one of two seconds of life fails no call.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "api/auth/access_tokens.h"
#include "api/http/outage_brake.h"
#include "api/http/retry.h"
#include "api/http/transport.h"
#include "api/http/url.h"
#include "io/base/clock.h"
#include "io/base/error.h"

namespace sluice {

// Of one call that is neither a download nor a job with inline results. Lists are the longest: a
// hundred jobs are 100 KB. What a reader makes of JSON can be thirty times as long.
inline constexpr uint64_t kAnswerBytesMax = uint64_t{8} << 20;

struct GoogleServiceOptions {
  std::string base_url = "https://generativelanguage.googleapis.com";
  std::string api_version = "v1beta";
  std::string api_key = {};  // empty: none is sent
  // Of Google Cloud; requests then carry a token and the quota project, and no key.
  std::shared_ptr<AccessTokens> tokens = {};
  std::chrono::milliseconds request_timeout{120'000};
  std::chrono::milliseconds stall_timeout{60'000};
  RetryPolicy retry = {};
};

class GoogleService {
 public:
  // `transport` and `clock` must outlive the service. Errors: kUsage (an address, version or key
  // that cannot be used).
  [[nodiscard]] static Result<std::unique_ptr<GoogleService>> Make(GoogleServiceOptions options,
                                                                   Transport& transport,
                                                                   Clock& clock);

  // A request to `path` behind base address and version ("/batches/x"); `prefix` stands before the
  // version ("/upload"). Carries the key; its answer may have kAnswerBytesMax.
  [[nodiscard]] HttpRequest Request(std::string method, std::string_view path, std::stop_token stop,
                                    std::string_view prefix = "") const;
  // The same with a JSON body.
  [[nodiscard]] HttpRequest JsonRequest(std::string method, std::string_view path, std::string body,
                                        std::stop_token stop, std::string_view prefix = "") const;

  // A request to an address that the service named itself, an upload session's: it carries no key,
  // because it works without one and is as secret. Hence `label`: what messages call the request.
  [[nodiscard]] HttpRequest SessionRequest(std::string method, std::string url, std::string label,
                                           std::stop_token stop) const;
  // Errors: kRefused for a session's address at another origin than the service's.
  [[nodiscard]] Result<void> CheckSession(std::string_view url, std::string_view label) const;

  // Sends once, and during an outage no more often than OutageBrake lets. Any complete answer is a
  // value; its body is free of key and token. Errors as Transport::Send(); kBadAnswer for a body
  // that is nested too deeply to be JSON of this service; those of AccessTokens::Token(), with
  // kNotSent for all that may pass. A token that is answered with 401, by which nothing was done,
  // is given up, and the request sent once more with a new one; not when it has a body_reader,
  // which is used up, and not when it wants a fresh connection and the 401 is not in the service's
  // own words: then the 401 is the answer.
  [[nodiscard]] Result<HttpResponse> Send(const HttpRequest& request) const;

  // Sends, repeats as the retry table says, and reads a 2xx answer with `read`. An Error of `read`
  // is repeated like any other when it is transient.
  template <typename T>
  [[nodiscard]] Result<T> Call(Repeat repeat, const HttpRequest& request,
                               const std::function<Result<T>(const HttpResponse&)>& read) const {
    return CallWithRetry<T>(repeat, options_.retry, clock_, request.stop, [&]() -> Result<T> {
      SLUICE_ASSIGN(const HttpResponse answer, SendForSuccess(request));
      return read(answer);
    });
  }

  // Like Send(), but an answer that is not 2xx is an Error (see ErrorOfAnswer).
  [[nodiscard]] Result<HttpResponse> SendForSuccess(const HttpRequest& request) const;
  [[nodiscard]] Error ErrorOf(const HttpResponse& answer, const HttpRequest& request) const;

  // A word that changes with the address and the key or account, and tells nothing about them.
  [[nodiscard]] std::string AccountFingerprint() const;

  [[nodiscard]] const GoogleServiceOptions& options() const { return options_; }
  [[nodiscard]] Clock& clock() const { return clock_; }

 private:
  GoogleService(GoogleServiceOptions options, Origin origin, Transport& transport, Clock& clock)
      : options_(std::move(options)),
        origin_(std::move(origin)),
        transport_(transport),
        clock_(clock),
        brake_(clock) {}

  Result<HttpResponse> SendSignedIn(const HttpRequest& request) const;
  Result<HttpResponse> SendWithToken(const HttpRequest& request, const std::string& token) const;
  Result<HttpResponse> Exchange(const HttpRequest& request, std::string_view secret) const;

  const GoogleServiceOptions options_;
  const Origin origin_;
  Transport& transport_;
  Clock& clock_;
  mutable OutageBrake brake_;
};

// Whether `name` is `kind`, a slash, and 1 to 128 of A-Z a-z 0-9 _ -: nothing else from a service
// is ever put into an address.
[[nodiscard]] bool IsResourceName(std::string_view name, std::string_view kind);
// kUsage when it is not.
[[nodiscard]] Result<void> CheckResourceName(std::string_view name, std::string_view kind);
// "models/x" of "x", "models/x" or "tunedModels/x". Errors: kUsage for what cannot be a model.
[[nodiscard]] Result<std::string> ModelPath(std::string_view model);

}  // namespace sluice
