#include "api/files/range_download.h"

#include <algorithm>
#include <fmt/format.h>
#include <random>

#include "api/http/decimal.h"
#include "api/http/header_values.h"
#include "api/http/idle_tries.h"
#include "api/http/retry.h"

namespace sluice {
namespace {

constexpr size_t kBeginBytes = 4;

// Whether bytes begin as gzip and zstd do, and as no text does. Readers of downloads unpack what
// they are given, but a pack that somebody in between has made may be cut, or a bomb.
bool IsPacked(std::string_view begin) {
  return begin.starts_with("\x1f\x8b") || begin.starts_with("\x28\xb5\x2f\xfd");
}

}  // namespace

Result<uint64_t> RangeDownload::Run() {
  const RetryPolicy& policy = service_.options().retry;
  Clock& clock = service_.clock();
  Backoff backoff(policy, std::random_device{}());
  IdleTries idle_tries(clock);
  while (true) {
    idle_tries.Begin();
    const auto result = Attempt();
    if (result) {
      return position_;
    }
    const int idle = idle_tries.End(position_);
    if (!IsTransient(result.error().code) || idle >= policy.attempts_max) {
      return std::unexpected(result.error());
    }
    const auto wait = backoff.Wait(std::max(idle, 1), result.error());
    if (!clock.SleepUntil(clock.Now() + wait, request_.stop)) {
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
    // We ask for all that is left: a part of it would end where nobody could tell.
    if (range && range->begin == position_ && range->end == range->total &&
        (!total_ || range->total == *total_) && etag == etag_) {
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
  if (const auto end = size_ ? size_ : total_; end && bytes.size() > *end - position_) {
    SLUICE_TRY(BeginFromZero());
    return Fail(ErrorCode::kBadAnswer, "a download is longer than was announced");
  }
  if (packed_ == PackedBody::kRefused) {
    SLUICE_TRY(CheckBegin(bytes));
  }
  SLUICE_TRY(writer_(bytes));
  position_ += bytes.size();
  return {};
}

// The first bytes may come one by one: those before may have been taken already.
Result<void> RangeDownload::CheckBegin(std::span<const std::byte> bytes) {
  if (position_ >= kBeginBytes) {
    return {};
  }
  begin_.resize(static_cast<size_t>(position_));
  begin_.append(reinterpret_cast<const char*>(bytes.data()),
                std::min(bytes.size(), kBeginBytes - begin_.size()));
  if (!IsPacked(begin_)) {
    return {};
  }
  if (position_ > 0) {
    SLUICE_TRY(BeginFromZero());
  }
  return Fail(ErrorCode::kBadAnswer, "a download is packed, which was not asked for");
}

}  // namespace sluice
