#include "api/http/curl_transport.h"

#include <algorithm>
#include <cctype>
#include <exception>
#include <fmt/format.h>

#include "api/http/curl_library.h"
#include "api/http/url.h"
#include "io/base/exhaustion.h"
#include "io/base/resource_pool.h"

namespace sluice {
namespace {

constexpr size_t kHeaderBytesMax = size_t{64} << 10;
constexpr size_t kHeaderCountMax = 256;
// Of an answer that is not 2xx while the request has a writer: it is held in memory.
constexpr uint64_t kErrorBodyBytesMax = uint64_t{1} << 20;
constexpr long kUploadBufferBytes = 1L << 18;
constexpr long kReceiveBufferBytes = 256L << 10;

using HeaderList = std::unique_ptr<curl_slist, decltype(CurlLibrary::slist_free_all)>;

// Drives exchanges, one at a time, and keeps their connections. It is what makes waiting
// interruptible: curl_multi_wakeup() is libcurl's one call for other threads.
class Driver {
 public:
  explicit Driver(const CurlLibrary& curl) : multi_(curl.multi_init(), curl.multi_cleanup) {
    RequireMemory(multi_ != nullptr);
  }
  CURLM* get() const { return multi_.get(); }

 private:
  std::unique_ptr<CURLM, decltype(CurlLibrary::multi_cleanup)> multi_;
};

// Of one exchange: a handle that failed early refuses options even after curl_easy_reset()
// (7.88.1: CURLOPT_BUFFERSIZE).
class EasyHandle {
 public:
  explicit EasyHandle(const CurlLibrary& curl)
      : curl_(curl), easy_(curl.easy_init(), curl.easy_cleanup) {
    RequireMemory(easy_ != nullptr);
  }
  CURL* get() const { return easy_.get(); }

  template <typename Value>
  void Set(CURLoption option, Value value) {
    const CURLcode code = curl_.easy_setopt(get(), option, value);
    RequireMemory(code != CURLE_OUT_OF_MEMORY);
    SLUICE_CHECK(code == CURLE_OK, curl_.easy_strerror(code));
  }

  int Status() const {
    long status = 0;
    curl_.easy_getinfo(get(), CURLINFO_RESPONSE_CODE, &status);
    return static_cast<int>(status);
  }

 private:
  const CurlLibrary& curl_;
  std::unique_ptr<CURL, decltype(CurlLibrary::easy_cleanup)> easy_;
};

// One exchange while libcurl works on it: what its callbacks read and fill.
class Exchange {
 public:
  Exchange(const CurlLibrary& curl, const HttpRequest& request, const EasyHandle& easy)
      : curl_(curl), request_(request), easy_(easy) {}

  Result<HttpResponse> Finish(CURLcode code);

  static size_t OnHeader(char* data, size_t, size_t size, void* self) {
    return static_cast<Exchange*>(self)->Guard(0, [&](Exchange& exchange) -> Result<size_t> {
      SLUICE_TRY(exchange.TakeHeader({data, size}));
      return size;
    });
  }
  static size_t OnBody(char* data, size_t, size_t size, void* self) {
    return static_cast<Exchange*>(self)->Guard(0, [&](Exchange& exchange) -> Result<size_t> {
      SLUICE_TRY(exchange.TakeBody({data, size}));
      return size;
    });
  }
  static size_t OnRead(char* data, size_t, size_t size, void* self) {
    return static_cast<Exchange*>(self)->Guard(CURL_READFUNC_ABORT, [&](Exchange& exchange) {
      return exchange.GiveBody(std::as_writable_bytes(std::span(data, size)));
    });
  }

 private:
  // Keeps what went wrong in a callback: neither an Error nor an exception can pass through
  // libcurl.
  template <typename Work>
  size_t Guard(size_t failed, const Work& work) {
    try {
      Result<size_t> result = work(*this);
      if (result.has_value()) {
        return *result;
      }
      error_ = std::move(result).error();
    } catch (...) {
      exception_ = std::current_exception();
    }
    return failed;
  }

  Result<void> TakeHeader(std::string_view line);
  Result<void> TakeBody(std::string_view bytes);
  Result<size_t> GiveBody(std::span<std::byte> buffer);
  Result<void> ReadHeadOnce();
  Error TooLarge(std::string_view what, uint64_t limit) const;

  const CurlLibrary& curl_;
  const HttpRequest& request_;
  const EasyHandle& easy_;
  HttpResponse response_;
  std::optional<Error> error_;
  std::exception_ptr exception_;
  size_t header_bytes_ = 0;
  uint64_t body_bytes_ = 0;
  uint64_t sent_bytes_ = 0;
  bool head_read_ = false;
};

Error Exchange::TooLarge(std::string_view what, uint64_t limit) const {
  return Error{.code = ErrorCode::kTransport,
               .message = fmt::format("{}: the {} is larger than {} bytes", WhatWasAsked(request_),
                                      what, limit),
               .http_status = response_.status};
}

Result<void> Exchange::TakeHeader(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > kHeaderBytesMax) {
    return std::unexpected(TooLarge("header of the answer", kHeaderBytesMax));
  }
  if (line.starts_with("HTTP/")) {
    response_.headers.clear();  // What came before was an interim or a proxy's answer.
    return {};
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    return {};
  }
  constexpr std::string_view kBlank = " \t\r\n";
  std::string name(line.substr(0, colon));
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::string_view value = line.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(kBlank), value.size()));
  value = value.substr(0, value.find_last_not_of(kBlank) + 1);
  if (response_.headers.size() == kHeaderCountMax) {
    return Fail(ErrorCode::kTransport, fmt::format("{}: the answer has more than {} headers",
                                                   WhatWasAsked(request_), kHeaderCountMax));
  }
  response_.headers.emplace_back(std::move(name), value);
  return {};
}

Result<void> Exchange::ReadHeadOnce() {
  if (head_read_) {
    return {};
  }
  head_read_ = true;
  response_.status = easy_.Status();
  if (!response_.ok()) {
    return {};
  }
  const std::string coding(response_.Header("content-encoding").value_or("identity"));
  if (!coding.empty() && curl_.strequal(coding.c_str(), "identity") == 0) {
    return Fail(
        ErrorCode::kBadAnswer,
        fmt::format("{}: the answer is packed, which was not asked for", WhatWasAsked(request_)));
  }
  return request_.head_reader ? request_.head_reader(response_) : Result<void>();
}

Result<void> Exchange::TakeBody(std::string_view bytes) {
  SLUICE_TRY(ReadHeadOnce());
  const bool streamed = response_.ok() && request_.body_writer;
  const uint64_t limit = request_.body_writer && !streamed
                             ? std::min(request_.answer_bytes_max, kErrorBodyBytesMax)
                             : request_.answer_bytes_max;
  if (bytes.size() > limit - body_bytes_) {
    return std::unexpected(TooLarge("answer", limit));
  }
  body_bytes_ += bytes.size();
  if (streamed) {
    return request_.body_writer(std::as_bytes(std::span(bytes.data(), bytes.size())));
  }
  response_.body += bytes;
  return {};
}

Result<size_t> Exchange::GiveBody(std::span<std::byte> buffer) {
  const uint64_t left = request_.body_size - sent_bytes_;
  buffer = buffer.first(static_cast<size_t>(std::min<uint64_t>(buffer.size(), left)));
  if (buffer.empty()) {
    return 0;
  }
  SLUICE_ASSIGN(const size_t size, request_.body_reader(buffer));
  // libcurl would take an early end for the end and wait for an answer that cannot come.
  if (size == 0) {
    return Fail(ErrorCode::kIo, fmt::format("{}: the body ended {} bytes before its announced end",
                                            WhatWasAsked(request_), left));
  }
  sent_bytes_ += size;
  return size;
}

Result<HttpResponse> Exchange::Finish(CURLcode code) {
  if (exception_) {
    std::rethrow_exception(exception_);
  }
  if (error_) {
    return std::unexpected(*std::move(error_));
  }
  if (code == CURLE_OK) {
    SLUICE_TRY(ReadHeadOnce());
    return std::move(response_);
  }
  const bool not_sent = code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY ||
                        code == CURLE_COULDNT_CONNECT;
  // libcurl's generic text for the code: its detailed texts may hold parts of the address.
  return Fail(not_sent ? ErrorCode::kNotSent : ErrorCode::kTransport,
              fmt::format("{}: {}", WhatWasAsked(request_), curl_.easy_strerror(code)));
}

Result<HeaderList> MakeHeaderList(const CurlLibrary& curl, const HttpRequest& request) {
  constexpr std::string_view kForbidden("\r\n\0", 3);
  // "Expect:" alone keeps libcurl from waiting for "100 Continue" before a body, and
  // "Content-Type:" from calling our bodies a form.
  std::vector<std::string> lines = {"Expect:", "Content-Type:"};
  for (const auto& [name, value] : request.headers) {
    if ((name + value).find_first_of(kForbidden) != std::string::npos) {
      return Fail(ErrorCode::kUsage, fmt::format("{}: header '{}' has a line break in its value",
                                                 WhatWasAsked(request),
                                                 name.substr(0, name.find_first_of(kForbidden))));
    }
    std::erase_if(lines, [&](const std::string& line) {
      return curl.strequal(line.c_str(), (name + ":").c_str()) != 0;
    });
    // libcurl drops a header without a value unless it ends with a semicolon.
    lines.push_back(value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
  }
  HeaderList list(nullptr, curl.slist_free_all);
  for (const std::string& line : lines) {
    curl_slist* longer = curl.slist_append(list.get(), line.c_str());
    RequireMemory(longer != nullptr);
    static_cast<void>(list.release());
    list.reset(longer);
  }
  return list;
}

void SetMethodAndBody(EasyHandle& easy, const HttpRequest& request) {
  const bool has_body = request.body_reader || !request.body.empty() || request.method == "POST" ||
                        request.method == "PUT";
  if (has_body) {
    easy.Set(CURLOPT_POST, 1L);
    if (request.body_reader) {
      easy.Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body_size));
      easy.Set(CURLOPT_READFUNCTION, &Exchange::OnRead);
    } else {
      easy.Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      easy.Set(CURLOPT_POSTFIELDS, request.body.c_str());
    }
  }
  easy.Set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void SetSafety(EasyHandle& easy, const CurlTransportOptions& options, bool near) {
  easy.Set(CURLOPT_NOSIGNAL, 1L);
  easy.Set(CURLOPT_QUICK_EXIT, 1L);  // Never wait for a resolver thread that hangs.
  easy.Set(CURLOPT_FOLLOWLOCATION, 0L);
  easy.Set(CURLOPT_PROTOCOLS_STR, near ? "http,https" : "https");
  easy.Set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  easy.Set(CURLOPT_SSL_VERIFYPEER, 1L);
  easy.Set(CURLOPT_SSL_VERIFYHOST, 2L);
  easy.Set(CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));  // No key to a proxy.
  if (near) {
    easy.Set(CURLOPT_PROXY, "");
  }
  if (!options.ca_file.empty()) {
    easy.Set(CURLOPT_CAINFO, options.ca_file.c_str());
  }
}

void SetTimes(EasyHandle& easy, const CurlTransportOptions& options, const HttpRequest& request) {
  easy.Set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  easy.Set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
  easy.Set(CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(kStallBytesPerSecond));
  easy.Set(
      CURLOPT_LOW_SPEED_TIME,
      static_cast<long>(std::chrono::ceil<std::chrono::seconds>(request.stall_timeout).count()));
  easy.Set(CURLOPT_TCP_KEEPALIVE, 1L);
}

// Keeps an easy handle in its multi handle for the length of one exchange. A connection that was
// left in the middle of something is closed on the way out.
class Attached {
 public:
  Attached(const CurlLibrary& curl, CURLM* multi, CURL* easy)
      : curl_(curl), multi_(multi), easy_(easy) {
    RequireMemory(curl.multi_add_handle(multi, easy) == CURLM_OK);
  }
  ~Attached() { curl_.multi_remove_handle(multi_, easy_); }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;

 private:
  const CurlLibrary& curl_;
  CURLM* multi_;
  CURL* easy_;
};

// Nothing when it was stopped before it ended.
std::optional<CURLcode> Perform(const CurlLibrary& curl, CURLM* multi, CURL* easy,
                                const std::stop_token& stop) {
  const Attached attached(curl, multi, easy);
  const std::stop_callback wake(stop, [&] { curl.multi_wakeup(multi); });
  for (int running = 1;;) {
    const CURLMcode code = curl.multi_perform(multi, &running);
    RequireMemory(code != CURLM_OUT_OF_MEMORY);
    SLUICE_CHECK(code == CURLM_OK, curl.multi_strerror(code));
    if (running == 0) {
      break;
    }
    if (stop.stop_requested()) {
      return std::nullopt;
    }
    const CURLMcode waited = curl.multi_poll(multi, nullptr, 0, 1000, nullptr);
    RequireMemory(waited != CURLM_OUT_OF_MEMORY);
    if (waited != CURLM_OK) {
      return CURLE_UNRECOVERABLE_POLL;
    }
  }
  int left = 0;
  const CURLMsg* message = curl.multi_info_read(multi, &left);
  SLUICE_CHECK(message != nullptr && message->msg == CURLMSG_DONE, "an exchange has no end");
  return message->data.result;
}

class CurlTransport final : public Transport {
 public:
  explicit CurlTransport(CurlTransportOptions options)
      : options_(std::move(options)),
        drivers_([] { return std::make_unique<Driver>(*LoadCurl().value()); }) {}

  Result<HttpResponse> Send(const HttpRequest& request) override;

 private:
  const CurlTransportOptions options_;
  ResourcePool<Driver> drivers_;
};

Result<HttpResponse> CurlTransport::Send(const HttpRequest& request) {
  SLUICE_ASSIGN(const Origin origin, ParseOrigin(request.url));
  // Both are reached without a proxy: it would stand on another machine.
  const bool near = IsLoopback(origin) || IsMetadataServer(origin);
  if (origin.scheme != "https" && !near) {
    return Fail(ErrorCode::kUsage,
                fmt::format("{}: plain http is spoken to this machine only, not to {}",
                            WhatWasAsked(request), origin.host));
  }
  SLUICE_ASSIGN(const CurlLibrary* const library, LoadCurl());
  const CurlLibrary& curl = *library;
  SLUICE_ASSIGN(const HeaderList headers, MakeHeaderList(curl, request));
  if (request.stop.stop_requested()) {
    return Fail(ErrorCode::kUnfinished, fmt::format("{}: stopped", WhatWasAsked(request)));
  }

  const auto driver = drivers_.Take();
  EasyHandle easy(curl);
  Exchange exchange(curl, request, easy);
  easy.Set(CURLOPT_URL, request.url.c_str());
  easy.Set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  easy.Set(CURLOPT_USERAGENT, options_.user_agent.c_str());
  easy.Set(CURLOPT_HTTPHEADER, headers.get());
  easy.Set(CURLOPT_HEADERFUNCTION, &Exchange::OnHeader);
  easy.Set(CURLOPT_HEADERDATA, static_cast<void*>(&exchange));
  easy.Set(CURLOPT_WRITEFUNCTION, &Exchange::OnBody);
  easy.Set(CURLOPT_WRITEDATA, static_cast<void*>(&exchange));
  easy.Set(CURLOPT_READDATA, static_cast<void*>(&exchange));
  easy.Set(CURLOPT_UPLOAD_BUFFERSIZE, kUploadBufferBytes);
  easy.Set(CURLOPT_BUFFERSIZE, kReceiveBufferBytes);
  easy.Set(CURLOPT_FRESH_CONNECT, request.fresh_connection ? 1L : 0L);
  easy.Set(CURLOPT_FORBID_REUSE, request.fresh_connection ? 1L : 0L);
  SetMethodAndBody(easy, request);
  SetSafety(easy, options_, near);
  SetTimes(easy, options_, request);

  const std::optional<CURLcode> code = Perform(curl, driver->get(), easy.get(), request.stop);
  if (!code) {
    return Fail(ErrorCode::kUnfinished, fmt::format("{}: stopped", WhatWasAsked(request)));
  }
  return exchange.Finish(*code);
}

}  // namespace

std::unique_ptr<Transport> MakeCurlTransport(const CurlTransportOptions& options) {
  return std::make_unique<CurlTransport>(options);
}

}  // namespace sluice
