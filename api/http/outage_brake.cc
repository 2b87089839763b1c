#include "api/http/outage_brake.h"

#include <algorithm>
#include <fmt/format.h>

#include "api/http/url.h"

namespace sluice {
namespace {

// Nothing when it tells nothing about the service: the failure is of this side.
std::optional<bool> IsOutage(const Result<HttpResponse>& answer) {
  if (answer.has_value()) {
    return answer->status == 408 || answer->status == 429 || answer->status >= 500;
  }
  const ErrorCode code = answer.error().code;
  const bool broken = code == ErrorCode::kNotSent || code == ErrorCode::kTransport;
  return broken ? std::optional(true) : std::nullopt;
}

}  // namespace

Result<void> OutageBrake::Await(const HttpRequest& request) {
  const MonotonicTime deadline =
      request.timeout.count() > 0 ? clock_.Now() + request.timeout : MonotonicTime::max();
  while (const std::optional<MonotonicTime> free = TakePlace()) {
    if (!clock_.SleepUntil(std::min(*free, deadline), request.stop)) {
      return Fail(ErrorCode::kUnfinished,
                  "stopped while waiting for a service that does not answer");
    }
    if (*free > deadline) {
      return Fail(ErrorCode::kNotSent,
                  fmt::format("{}: not sent, because the service has not answered for a while",
                              request.label.empty() ? UrlPath(request.url) : request.label));
    }
  }
  return {};
}

std::optional<MonotonicTime> OutageBrake::TakePlace() {
  const std::scoped_lock lock(mutex_);
  if (!since_) {
    return std::nullopt;
  }
  const MonotonicTime now = clock_.Now();
  while (!begun_.empty() && begun_.front() + kWindow <= now) {
    begun_.pop_front();
  }
  const size_t places = now - *since_ < kLongOutage ? kRequestsMax : 1;
  if (begun_.size() >= places) {
    return begun_[begun_.size() - places] + kWindow;
  }
  begun_.push_back(now);
  return std::nullopt;
}

void OutageBrake::Note(const Result<HttpResponse>& answer) {
  const std::optional<bool> is_outage = IsOutage(answer);
  const std::scoped_lock lock(mutex_);
  if (is_outage == false) {
    since_.reset();
    begun_.clear();
  } else if (is_outage == true && !since_) {
    since_ = clock_.Now();
    begun_.push_back(*since_);
  }
}

}  // namespace sluice
