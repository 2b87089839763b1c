#include "tests/engine/simulation/simulated_wire.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/http/decimal.h"
#include "api/http/url.h"
#include "io/file/file_system.h"
#include "tools/emulator/http_server.h"
#include "tools/emulator/timestamp.h"

namespace sluice {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kPage = "<html><body>Bad Gateway</body></html>";

std::map<std::string, std::string> ReadQuery(std::string_view url) {
  std::map<std::string, std::string> query;
  const size_t mark = url.find('?');
  std::string_view left = mark == std::string_view::npos ? "" : url.substr(mark + 1);
  while (!left.empty()) {
    const std::string_view part = left.substr(0, left.find('&'));
    left.remove_prefix(std::min(left.size(), part.size() + 1));
    const size_t equals = std::min(part.find('='), part.size() - 1);
    query[PercentDecode(part.substr(0, equals), true)] =
        PercentDecode(part.substr(equals + 1), true);
  }
  return query;
}

Result<std::string> ReadBody(const HttpRequest& request) {
  if (!request.body_reader) {
    return request.body;
  }
  constexpr size_t kPieceBytes = 64;
  std::string body;
  std::array<std::byte, kPieceBytes> piece{};
  while (true) {
    SLUICE_ASSIGN(const size_t count, request.body_reader(piece));
    if (count == 0) {
      return body;
    }
    body.append(reinterpret_cast<const char*>(piece.data()), count);
  }
}

Result<WireRequest> ReadRequest(const HttpRequest& request) {
  WireRequest read;
  read.method = request.method;
  read.is_download = request.body_writer != nullptr;
  read.path = PercentDecode(UrlPath(request.url), false);
  read.query = ReadQuery(request.url);
  for (const auto& [name, value] : request.headers) {
    std::string lower = name;
    std::ranges::transform(lower, lower.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    read.headers[lower] = value;
  }
  SLUICE_ASSIGN(read.body, ReadBody(request));
  return read;
}

std::string Find(const std::map<std::string, std::string>& map, const std::string& name) {
  const auto found = map.find(name);
  return found == map.end() ? "" : found->second;
}

}  // namespace

std::string WireRequest::Query(const std::string& name) const { return Find(query, name); }
std::string WireRequest::Header(const std::string& name) const { return Find(headers, name); }

HttpResponse SimulatedWire::Text(std::string body) {
  return {.status = 200, .headers = {}, .body = std::move(body)};
}

HttpResponse SimulatedWire::Refusal(int http_status, std::string_view status,
                                    std::string_view message) {
  const Json error = {{"code", http_status}, {"message", message}, {"status", status}};
  return {.status = http_status, .headers = {}, .body = Json{{"error", error}}.dump()};
}

ProviderOptions SimulatedWire::CommonOptions() {
  ProviderOptions options;
  options.model = "gemini-embedding-001";
  options.retry.first_wait = milliseconds(0);
  return options;
}

std::string Timestamp(MonotonicTime time) {
  constexpr std::chrono::seconds kStart{1'780'000'000};
  return FormatTimestamp(std::chrono::nanoseconds(kStart + time.time_since_epoch()).count());
}

HttpResponse SimulatedWire::Part(const WireRequest& request, std::string body) {
  constexpr std::string_view kBytes = "bytes=";
  const std::string range = request.Header("range");
  const size_t total = body.size();
  const size_t first =
      range.starts_with(kBytes)
          ? ParseDecimal<size_t>(range.substr(kBytes.size(), range.find('-') - kBytes.size()))
                .value_or(0)
          : 0;
  if (range.empty()) {
    return {.status = 200, .headers = {}, .body = std::move(body)};
  }
  if (first >= total) {
    return {.status = 416, .headers = {}, .body = "range not satisfiable"};
  }
  return {.status = 206,
          .headers = {{"content-range", fmt::format("bytes {}-{}/{}", first, total - 1, total)}},
          .body = body.substr(first)};
}

Result<HttpResponse> SimulatedWire::Send(const HttpRequest& request) {
  if (request.stop.stop_requested()) {
    return Fail(ErrorCode::kUnfinished, "simulated: stopped");
  }
  clock_.AdvanceTo(clock_.Now() + milliseconds(service_.Below(400)));
  DeliverLate();
  service_.BeginCall();
  if (service_.IsOut()) {
    return service_.Chance(500)
               ? Fail(service_.Chance(500) ? ErrorCode::kTransport : ErrorCode::kNotSent, "away")
               : Result<HttpResponse>({.status = 503, .headers = {}, .body = std::string(kPage)});
  }
  SLUICE_ASSIGN(const WireRequest read, ReadRequest(request));
  SLUICE_ASSIGN(HttpResponse answer, MakesJob(read)
                                         ? SendCreate(read)
                                         : SendOther(read, request.body_reader != nullptr));
  return Deliver(request, std::move(answer));
}

// What was under way when its sender had given it up.
void SimulatedWire::DeliverLate() {
  while (!late_.empty() && late_.begin()->first <= clock_.Now()) {
    const WireRequest request = std::move(late_.begin()->second);
    late_.erase(late_.begin());
    (void)Answer(request);
  }
}

void SimulatedWire::ComesLate(const WireRequest& request, seconds within) {
  late_.emplace(
      clock_.Now() + milliseconds(service_.Below(static_cast<uint64_t>(within.count()) * 1'000)),
      request);
}

void SimulatedWire::ComesTwice(WireRequest request) {
  request.is_repeat = true;
  ComesLate(request, seconds(5));
}

// The same chances as of a service without a wire: SimulatedService::CreateJob().
Result<HttpResponse> SimulatedWire::SendCreate(const WireRequest& request) {
  const SimulatedFaults& faults = service_.faults();
  if (service_.Chance(faults.call_fails)) {
    return service_.Chance(250) ? Fail(ErrorCode::kNotSent, "simulated")
                                : Result<HttpResponse>(Unwilling());
  }
  if (service_.Chance(faults.late_effect)) {
    ComesLate(request, std::chrono::hours(3));
    return Fail(ErrorCode::kTransport, "simulated: the answer did not come");
  }
  if (service_.Chance(50)) {
    return Unwilling();
  }
  if (auto refusal = RefusalToMakeJob()) {
    return *std::move(refusal);
  }
  HttpResponse answer = Answer(request);
  const std::string others = std::exchange(other_answer_, answer.body);
  if (answer.ok() && service_.Chance(faults.twice)) {
    ComesTwice(request);
  }
  service_.MayDie();
  if (!service_.Chance(faults.lost_answer)) {
    return answer;
  }
  return service_.Chance(50) && answer.ok() && !others.empty()
             ? Result<HttpResponse>({.status = 200, .headers = {}, .body = others})
             : Lost(request, answer);
}

// Calls that may be repeated.
Result<HttpResponse> SimulatedWire::SendOther(const WireRequest& request, bool is_upload) {
  const SimulatedFaults& faults = service_.faults();
  if (service_.Chance(faults.call_fails)) {
    return Broken(request, is_upload);
  }
  HttpResponse answer = Answer(request);
  if (service_.Chance(faults.twice)) {
    ComesTwice(request);
  }
  service_.MayDie();
  return answer;
}

Result<HttpResponse> SimulatedWire::Broken(const WireRequest& request, bool is_upload) {
  switch (service_.Below(6)) {
    case 0:
      return Fail(ErrorCode::kNotSent, "simulated: not connected");
    case 1:
      return Unwilling();
    case 2:
      // The life of a connection's last packets, far below the settle time.
      ComesLate(request, seconds(60));
      return Fail(ErrorCode::kTransport, "simulated: late");
    case 3:
      if (is_upload && request.body.size() > 1) {
        WireRequest cut = request;
        cut.body.resize(1 + service_.Below(cut.body.size() - 1));
        (void)Answer(cut);
      }
      return Fail(ErrorCode::kTransport, "simulated: the request was cut");
    default:
      return Lost(request, Answer(request));
  }
}

// Nothing was done, and the service or something before it says so.
HttpResponse SimulatedWire::Unwilling() {
  switch (service_.Below(4)) {
    case 0: {
      HttpResponse answer = Refusal(429, "RESOURCE_EXHAUSTED", "Resource exhausted.");
      answer.headers.emplace_back("retry-after", "20");
      return answer;
    }
    case 1:
      return Refusal(429, "RESOURCE_EXHAUSTED", "Resource exhausted.");
    case 2:
      return {.status = 502, .headers = {}, .body = std::string(kPage)};
    default:
      return Refusal(503, "UNAVAILABLE", "The service is currently unavailable.");
  }
}

// It was done, and nobody is told so.
Result<HttpResponse> SimulatedWire::Lost(const WireRequest& request, const HttpResponse& answer) {
  const auto page = [](int status) {
    return HttpResponse{.status = status, .headers = {}, .body = std::string(kPage)};
  };
  switch (service_.Below(8)) {
    case 0:
      return page(504);
    case 1:
      return Refusal(500, "INTERNAL", "Internal error encountered.");
    case 2:
      return Refusal(503, "UNAVAILABLE", "The service is currently unavailable.");
    case 3:
      return page(200);  // of a network that wants a sign-in
    case 4:
      return page(404);
    case 5: {
      if (request.is_download && !HasChecksums()) {
        break;
      }
      HttpResponse cut = answer;
      cut.body.resize(cut.body.empty() ? 0 : service_.Below(cut.body.size()));
      return cut;
    }
    default:
      break;
  }
  return Fail(ErrorCode::kTransport, "simulated: the connection broke");
}

// A body that is streamed may break off, or be cut by something that then names its new length.
Result<HttpResponse> SimulatedWire::Deliver(const HttpRequest& request, HttpResponse answer) {
  if (!request.body_writer || !answer.ok()) {
    return answer;
  }
  std::string body = std::exchange(answer.body, "");
  const bool breaks = service_.Chance(service_.faults().call_fails) && !body.empty();
  const bool is_quiet = breaks && HasChecksums() && service_.Chance(300);
  const size_t sent = breaks ? service_.Below(body.size()) : body.size();
  answer.headers.emplace_back("content-length", std::to_string(is_quiet ? sent : body.size()));
  if (request.head_reader) {
    SLUICE_TRY(request.head_reader(answer));
  }
  body.resize(sent);
  SLUICE_TRY(request.body_writer(AsBytes(body)));
  if (breaks && !is_quiet) {
    return Fail(ErrorCode::kTransport, "simulated: the answer broke off");
  }
  return answer;
}

}  // namespace sluice
