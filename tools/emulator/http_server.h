// HttpServer: HTTP/1.1 on loopback with one thread a connection and blocking sockets, so that a
// handler can cut, stall or reset an answer at any byte. The only place that knows Boost.
//
// At most kConnectionsMax connections at once: a new one then ends connections that wait between
// two requests, and waits itself while all are busy. Start, Stop and port may be called by any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/base/error.h"

namespace sluice {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;
// Fills `buffer` and returns the byte count, 0 at the end.
using AnswerSource = std::function<Result<size_t>(std::span<std::byte> buffer)>;

// One request and its answer. Lives while the handler runs; used by that thread only. A handler
// answers at most once; a request that is left without an answer ends its connection.
class Exchange {
 public:
  virtual ~Exchange() = default;

  [[nodiscard]] virtual std::string_view method() const = 0;
  // The target before '?', still percent-encoded.
  [[nodiscard]] virtual std::string_view path() const = 0;
  // The decoded value of a query parameter.
  [[nodiscard]] virtual std::optional<std::string> Query(std::string_view name) const = 0;
  [[nodiscard]] virtual std::optional<std::string> Header(std::string_view name) const = 0;

  // Body bytes, 0 at the end. Error kTransport: the connection broke within the body; the bytes
  // before the break were all given out.
  [[nodiscard]] virtual Result<size_t> ReadBody(std::span<std::byte> buffer) = 0;

  virtual void Respond(int status, const HttpHeaders& headers, std::string_view body) = 0;
  // Without a size the answer is chunked. An Error of the source cuts the connection.
  virtual void RespondStream(int status, const HttpHeaders& headers, std::optional<uint64_t> size,
                             const AnswerSource& source) = 0;
  // The answer to come is reset after so many bytes of its body.
  virtual void CutAnswerAfter(uint64_t body_bytes) = 0;
  // Resets the connection at once.
  virtual void Abort() = 0;
  // Says nothing more: returns when the peer went away or the server stops.
  virtual void Stall() = 0;

  [[nodiscard]] virtual uint64_t bytes_received() const = 0;
  [[nodiscard]] virtual uint64_t bytes_sent() const = 0;
};

class HttpServer {
 public:
  static constexpr size_t kConnectionsMax = 256;
  using Handler = std::function<void(Exchange& exchange)>;

  // `host` is a numeric address; port 0 takes a free one. kUsage when it cannot be listened on.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> Start(const std::string& host,
                                                                 uint16_t port, Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] uint16_t port() const;
  // Ends every connection, whatever it does, and joins all threads. Handlers must return soon once
  // their connection is dead.
  void Stop();

 private:
  struct State;

 public:
  explicit HttpServer(std::unique_ptr<State> state);  // for Start()

 private:
  std::unique_ptr<State> state_;
};

// "%41b+c" -> "Ab c" ('+' is a blank only in a query).
[[nodiscard]] std::string PercentDecode(std::string_view text, bool plus_is_blank);
// Takes the first segment off `path`, decoded: "a" of "/a/b", which leaves "/b".
[[nodiscard]] std::string TakeSegment(std::string_view& path);

}  // namespace sluice
