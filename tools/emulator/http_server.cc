#include "tools/emulator/http_server.h"

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <condition_variable>
#include <fmt/format.h>
#include <limits>
#include <list>
#include <mutex>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>
#include <thread>

namespace sluice {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;
using BoostError = boost::system::error_code;

constexpr uint32_t kHeaderBytesMax = 64 << 10;
constexpr size_t kStreamBytes = 256 << 10;
// What is read and thrown away when a handler answered without taking the body, so that the
// connection can go on; more than that, and it is closed.
constexpr uint64_t kDrainBytesMax = uint64_t{32} << 20;

// A socket that another thread may shut down while its own thread is blocked in it.
struct Connection {
  explicit Connection(Tcp::socket accepted) : socket(std::move(accepted)) {}

  void Shut() {
    const std::scoped_lock lock(mutex);
    if (socket.is_open()) {
      ::shutdown(socket.native_handle(), SHUT_RDWR);
    }
  }
  void Close() {
    const std::scoped_lock lock(mutex);
    BoostError ignored;
    socket.close(ignored);
  }
  // Closing with a linger time of zero sends RST.
  void Reset() {
    const std::scoped_lock lock(mutex);
    BoostError ignored;
    socket.set_option(asio::socket_base::linger(true, 0), ignored);
    socket.close(ignored);
  }

  Tcp::socket socket;
  std::mutex mutex;                // closing and shutting only
  std::atomic<bool> waits{false};  // between two requests
  std::atomic<bool> ended{false};
  std::thread thread;
};

std::string_view Reason(int status) {
  const auto reason = http::obsolete_reason(http::int_to_status(static_cast<unsigned>(status)));
  return {reason.data(), reason.size()};
}

std::optional<std::string> FindQuery(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const size_t equals = pair.find('=');
    if (PercentDecode(pair.substr(0, equals), true) == name) {
      return equals == std::string_view::npos ? std::string()
                                              : PercentDecode(pair.substr(equals + 1), true);
    }
  }
  return std::nullopt;
}

class SocketExchange final : public Exchange {
 public:
  explicit SocketExchange(Connection& connection, boost::beast::flat_buffer& buffer)
      : connection_(connection), buffer_(buffer) {
    parser_.header_limit(kHeaderBytesMax);
    parser_.body_limit(std::numeric_limits<uint64_t>::max());
  }

  // False when no whole request head came; the connection is then of no more use.
  bool ReadHead() {
    BoostError error;
    http::read_header(connection_.socket, buffer_, parser_, error);
    if (error) {
      if (error.category() == http::make_error_code(http::error::bad_method).category() &&
          error != http::error::end_of_stream && error != http::error::partial_message) {
        keep_alive_ = false;
        Respond(400, {{"Content-Type", "text/html; charset=UTF-8"}}, "<html>Bad Request</html>\n");
      }
      return false;
    }
    const auto method = parser_.get().method_string();
    const auto target = parser_.get().target();
    method_.assign(method.data(), method.size());
    target_.assign(target.data(), target.size());
    keep_alive_ = parser_.get().keep_alive();
    awaits_continue_ = Header("expect").value_or("") == "100-continue";
    return true;
  }

  // Makes the connection ready for the next request; false when it has to be closed.
  bool Finish() {
    if (!answered_ || !keep_alive_ || !connection_.socket.is_open()) {
      return false;
    }
    std::vector<std::byte> waste(kStreamBytes);
    uint64_t drained = 0;
    while (!parser_.is_done()) {
      const auto count = ReadBody(waste);
      drained += count.value_or(0);
      if (!count.has_value() || drained > kDrainBytesMax) {
        return false;
      }
    }
    return true;
  }

  std::string_view method() const override { return method_; }
  std::string_view path() const override {
    return std::string_view(target_).substr(0, target_.find('?'));
  }
  std::optional<std::string> Query(std::string_view name) const override {
    const size_t mark = target_.find('?');
    return mark == std::string::npos ? std::nullopt
                                     : FindQuery(std::string_view(target_).substr(mark + 1), name);
  }
  std::optional<std::string> Header(std::string_view name) const override {
    const auto found = parser_.get().find(boost::beast::string_view(name.data(), name.size()));
    if (found == parser_.get().end()) {
      return std::nullopt;
    }
    return std::string(found->value().data(), found->value().size());
  }

  Result<size_t> ReadBody(std::span<std::byte> buffer) override {
    if (body_broken_) {
      return Fail(ErrorCode::kTransport, "the request body broke off");
    }
    if (parser_.is_done() || buffer.empty()) {
      return size_t{0};
    }
    SendContinue();
    auto& body = parser_.get().body();
    body.data = buffer.data();
    body.size = buffer.size();
    BoostError error;
    http::read(connection_.socket, buffer_, parser_, error);
    const size_t count = buffer.size() - body.size;
    bytes_received_ += count;
    if (error && error != http::error::need_buffer) {
      body_broken_ = true;
      keep_alive_ = false;
      return count > 0 ? Result<size_t>(count) : ReadBody(buffer);
    }
    return count;
  }

  void Respond(int status, const HttpHeaders& headers, std::string_view body) override {
    WriteHead(status, headers, body.size());
    WriteBody(AsBytes(body));
  }

  void RespondStream(int status, const HttpHeaders& headers, std::optional<uint64_t> size,
                     const AnswerSource& source) override {
    WriteHead(status, headers, size);
    std::vector<std::byte> block(kStreamBytes);
    while (connection_.socket.is_open()) {
      const Result<size_t> count = source(block);
      if (!count.has_value()) {
        Abort();
        return;
      }
      if (*count == 0) {
        break;
      }
      const auto bytes = std::span(block).first(*count);
      size.has_value() ? WriteBody(bytes) : WriteChunk(bytes);
    }
    if (!size.has_value()) {
      WriteText("0\r\n\r\n");
    }
  }

  void CutAnswerAfter(uint64_t body_bytes) override { cut_after_ = body_bytes; }
  void Abort() override {
    answered_ = true;
    keep_alive_ = false;
    connection_.Reset();
  }

  void Stall() override {
    keep_alive_ = false;
    pollfd waited{.fd = connection_.socket.native_handle(), .events = POLLRDHUP, .revents = 0};
    while (::poll(&waited, 1, -1) < 0 && errno == EINTR) {
    }
  }

  uint64_t bytes_received() const override { return bytes_received_; }
  uint64_t bytes_sent() const override { return bytes_sent_; }

 private:
  static std::span<const std::byte> AsBytes(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
  }

  void SendContinue() {
    if (awaits_continue_) {
      awaits_continue_ = false;
      WriteText("HTTP/1.1 100 Continue\r\n\r\n");
    }
  }

  void WriteHead(int status, const HttpHeaders& headers, std::optional<uint64_t> size) {
    answered_ = true;
    // The client will not send a body that it was never asked for: the next bytes would be unclear.
    keep_alive_ = keep_alive_ && !awaits_continue_;
    std::string head = fmt::format("HTTP/1.1 {} {}\r\n", status, Reason(status));
    for (const auto& [name, value] : headers) {
      fmt::format_to(std::back_inserter(head), "{}: {}\r\n", name, value);
    }
    head += size.has_value() ? fmt::format("Content-Length: {}\r\n", *size)
                             : std::string("Transfer-Encoding: chunked\r\n");
    head += keep_alive_ ? "\r\n" : "Connection: close\r\n\r\n";
    WriteText(head);
  }

  void WriteBody(std::span<const std::byte> bytes) {
    if (cut_after_.has_value() && bytes.size() >= *cut_after_) {
      WriteRaw(bytes.first(*cut_after_));
      Abort();
      return;
    }
    if (cut_after_.has_value()) {
      *cut_after_ -= bytes.size();
    }
    WriteRaw(bytes);
  }

  void WriteChunk(std::span<const std::byte> bytes) {
    WriteText(fmt::format("{:x}\r\n", bytes.size()));
    WriteBody(bytes);
    WriteText("\r\n");
  }

  void WriteText(std::string_view text) { WriteRaw(AsBytes(text)); }

  void WriteRaw(std::span<const std::byte> bytes) {
    if (!connection_.socket.is_open()) {
      return;
    }
    BoostError error;
    bytes_sent_ += asio::write(connection_.socket, asio::buffer(bytes.data(), bytes.size()), error);
    if (error) {
      keep_alive_ = false;
      connection_.Close();
    }
  }

  Connection& connection_;
  boost::beast::flat_buffer& buffer_;
  http::request_parser<http::buffer_body> parser_;
  std::string method_;
  std::string target_;
  std::optional<uint64_t> cut_after_;
  bool keep_alive_ = true;
  bool awaits_continue_ = false;
  bool answered_ = false;
  bool body_broken_ = false;
  uint64_t bytes_received_ = 0;
  uint64_t bytes_sent_ = 0;
};

// Gives the peer the time to take our last bytes: closing with unread input would reset it.
void CloseGently(Connection& connection) {
  if (!connection.socket.is_open()) {
    return;
  }
  connection.waits = true;
  ::shutdown(connection.socket.native_handle(), SHUT_WR);
  std::vector<std::byte> waste(kStreamBytes);
  BoostError error;
  for (uint64_t drained = 0; !error && drained < kDrainBytesMax;) {
    drained += connection.socket.read_some(asio::buffer(waste.data(), waste.size()), error);
  }
  connection.Close();
}

void Serve(Connection& connection, const HttpServer::Handler& handler) {
  boost::beast::flat_buffer buffer;
  for (bool goes_on = true; goes_on;) {
    SocketExchange exchange(connection, buffer);
    connection.waits = true;
    const bool has_request = exchange.ReadHead();
    connection.waits = false;
    if (!has_request) {
      break;
    }
    handler(exchange);
    goes_on = exchange.Finish();
  }
  CloseGently(connection);
}

}  // namespace

struct HttpServer::State {
  State(const std::string& host, uint16_t wanted_port, Handler wanted_handler)
      : handler(std::move(wanted_handler)),
        acceptor(context, Tcp::endpoint(asio::ip::make_address(host), wanted_port)) {
    port = acceptor.local_endpoint().port();
  }

  void AcceptLoop() {
    while (!stopping) {
      BoostError error;
      Tcp::socket socket(context);
      acceptor.accept(socket, error);
      if (stopping) {
        return;
      }
      if (error) {
        // Out of descriptors, as a rule: a connection that ends frees one.
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        continue;
      }
      socket.set_option(Tcp::no_delay(true), error);
      MakeRoom();
      Launch(std::move(socket));
    }
  }

  void Launch(Tcp::socket socket) {
    const std::scoped_lock lock(mutex);
    if (stopping) {
      return;
    }
    Connection& connection = connections.emplace_back(std::move(socket));
    try {
      connection.thread = std::thread([this, &connection] {
        Serve(connection, handler);
        const std::scoped_lock end_lock(mutex);
        connection.ended = true;
        one_ended.notify_all();
      });
    } catch (const std::system_error&) {
      connections.pop_back();  // no thread is left: the client sees a connection that ends
    }
  }

  // Joins what has ended, and when all places are taken waits for one.
  void MakeRoom() {
    std::unique_lock lock(mutex);
    while (!stopping) {
      Reap();
      if (connections.size() < kConnectionsMax) {
        return;
      }
      for (Connection& connection : connections) {
        if (connection.waits) {
          connection.Shut();
        }
      }
      one_ended.wait_for(lock, std::chrono::milliseconds(100));
    }
  }

  // A thread that set `ended` still holds the lock for its last step, so it is joined under it only
  // after that step; `mutex` is held here.
  void Reap() {
    connections.remove_if([](Connection& connection) {
      if (!connection.ended) {
        return false;
      }
      connection.thread.join();
      return true;
    });
  }

  Handler handler;
  asio::io_context context;
  Tcp::acceptor acceptor;
  uint16_t port = 0;
  std::atomic<bool> stopping{false};
  std::mutex mutex;
  std::condition_variable one_ended;
  std::list<Connection> connections;
  std::thread accepter;
};

Result<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& host, uint16_t port,
                                                      Handler handler) {
  try {
    auto state = std::make_unique<State>(host, port, std::move(handler));
    State* running = state.get();
    state->accepter = std::thread([running] { running->AcceptLoop(); });
    return std::make_unique<HttpServer>(std::move(state));
  } catch (const boost::system::system_error& error) {
    return Fail(ErrorCode::kUsage,
                fmt::format("cannot listen on {}:{}: {}", host, port, error.code().message()));
  }
}

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpServer::~HttpServer() { Stop(); }

uint16_t HttpServer::port() const { return state_->port; }

void HttpServer::Stop() {
  if (state_->stopping.exchange(true)) {
    return;
  }
  ::shutdown(state_->acceptor.native_handle(), SHUT_RDWR);
  state_->accepter.join();
  BoostError ignored;
  state_->acceptor.close(ignored);
  {
    const std::scoped_lock lock(state_->mutex);
    for (Connection& connection : state_->connections) {
      connection.Shut();
    }
  }
  // No connection is added any more, so the list is walked without the lock that its threads need.
  for (Connection& connection : state_->connections) {
    connection.thread.join();
  }
  state_->connections.clear();
}

std::string PercentDecode(std::string_view text, bool plus_is_blank) {
  const auto hex = [](char c) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    return kDigits.find(lower);
  };
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) < 16 && hex(text[i + 2]) < 16) {
      decoded += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
      i += 2;
    } else {
      decoded += plus_is_blank && text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

std::string TakeSegment(std::string_view& path) {
  path.remove_prefix(path.starts_with('/') ? 1 : 0);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return PercentDecode(segment, false);
}

}  // namespace sluice
