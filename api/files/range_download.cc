#include "api/files/range_download.h"

#include <algorithm>
#include <fmt/format.h>
#include <random>

#include "api/http/decimal.h"
#include "api/http/retry.h"

namespace sluice {
namespace {

struct ContentRange {
  uint64_t begin = 0;
  uint64_t total = 0;
};

// "bytes 100-199/200" whose end is the end of the whole.
std::optional<ContentRange> ParseContentRange(std::string_view text) {
  constexpr std::string_view kUnit = "bytes ";
  const size_t dash = text.find('-');
  const size_t slash = text.find('/');
  if (!text.starts_with(kUnit) || dash == std::string_view::npos ||
      slash == std::string_view::npos || dash > slash) {
    return std::nullopt;
  }
  const auto begin = ParseDecimal<uint64_t>(text.substr(kUnit.size(), dash - kUnit.size()));
  const auto last = ParseDecimal<uint64_t>(text.substr(dash + 1, slash - dash - 1));
  const auto total = ParseDecimal<uint64_t>(text.substr(slash + 1));
  if (!begin || !last || !total || *begin > *last || *last + 1 != *total) {
    return std::nullopt;
  }
  return ContentRange{.begin = *begin, .total = *total};
}

}  // namespace

Result<uint64_t> RangeDownload::Run() {
  const RetryPolicy& policy = service_.options().retry;
  Backoff backoff(policy, std::random_device{}());
  uint64_t best = 0;
  for (int idle_tries = 0;;) {
    const auto result = Attempt();
    if (result) {
      return position_;
    }
    idle_tries = position_ > best ? 1 : idle_tries + 1;
    best = std::max(best, position_);
    if (!IsTransient(result.error().code) || idle_tries >= policy.attempts_max) {
      return std::unexpected(result.error());
    }
    const auto wait = backoff.Wait(idle_tries, result.error());
    if (!service_.clock().SleepUntil(service_.clock().Now() + wait, request_.stop)) {
      return Fail(ErrorCode::kUnfinished, "stopped in a download");
    }
  }
}

Result<void> RangeDownload::Attempt() {
  HttpRequest request = request_;
  request.answer_bytes_max = UINT64_MAX;           // Write() bounds the whole, over all attempts.
  request.timeout = std::chrono::milliseconds(0);  // Any size; a stall still ends it.
  if (position_ > 0) {
    request.headers.emplace_back("Range", fmt::format("bytes={}-", position_));
  }
  request.head_reader = [this](const HttpResponse& head) { return ReadHead(head); };
  request.body_writer = [this](std::span<const std::byte> bytes) { return Write(bytes); };
  SLUICE_ASSIGN(const HttpResponse answer, service_.Send(request));
  if (answer.status == 416) {
    SLUICE_TRY(BeginFromZero());  // Of a body that changed its size, or of no further byte.
    return Fail(ErrorCode::kBadAnswer, "the service does not have the range it was asked for");
  }
  if (!answer.ok()) {
    return std::unexpected(service_.ErrorOf(answer, request));
  }
  if (total_ && position_ != *total_) {
    return Fail(ErrorCode::kTransport,
                fmt::format("a download ended after {} of {} bytes", position_, *total_));
  }
  return {};
}

Result<void> RangeDownload::ReadHead(const HttpResponse& head) {
  const std::string etag(head.Header("etag").value_or(""));
  if (head.status == 206) {
    const auto range = ParseContentRange(head.Header("content-range").value_or(""));
    if (range && range->begin == position_ && (!total_ || range->total == *total_) &&
        etag == etag_) {
      total_ = range->total;
      return {};
    }
    SLUICE_TRY(BeginFromZero());
    return Fail(ErrorCode::kBadAnswer, "the service answered with another range than was asked");
  }
  if (position_ > 0) {
    SLUICE_TRY(BeginFromZero());
  }
  total_ = ParseDecimal<uint64_t>(head.Header("content-length").value_or(""));
  etag_ = etag;
  return {};
}

Result<void> RangeDownload::BeginFromZero() {
  position_ = 0;
  total_.reset();
  etag_.clear();
  return restart_();
}

Result<void> RangeDownload::Write(std::span<const std::byte> bytes) {
  if (bytes.size() > request_.answer_bytes_max - std::min(position_, request_.answer_bytes_max)) {
    return Fail(ErrorCode::kRefused,
                fmt::format("a download is larger than {} bytes", request_.answer_bytes_max));
  }
  SLUICE_TRY(writer_(bytes));
  position_ += bytes.size();
  return {};
}

}  // namespace sluice
