// ScriptedServer: a real TCP server on a free loopback port that plays scripted exchanges, one
// after the other, and keeps what it was sent byte by byte. For golden exchanges, and for
// everything that a well-behaved HTTP server cannot be made to do. Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <limits>
#include <mutex>
#include <string>
#include <string_view>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace sluice {

// What came in. `body` holds what was read of it.
struct ReceivedRequest {
  int connection = 0;  // counts from 1
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;  // names lower-cased
  std::string body;

  [[nodiscard]] std::string Header(std::string_view name) const;  // "" when absent
};

// What is done with one request.
struct Play {
  enum class End { kKeep, kClose, kReset, kHang, kEndless };

  std::string answer;  // raw bytes, status line and all
  End end = End::kKeep;
  // Stops reading the request's body here, and then answers (and should end the connection).
  size_t read_body_max = std::numeric_limits<size_t>::max();
  std::chrono::milliseconds pause_per_byte{0};  // the answer comes byte by byte
};

// A whole answer with its Content-Length.
[[nodiscard]] std::string HttpAnswer(int status, std::string_view body,
                                     const std::vector<std::string>& header_lines = {});
[[nodiscard]] Play JsonPlay(int status, std::string_view body);

class ScriptedServer {
 public:
  // Plays `plays` in order, whatever is asked; then closes connections without an answer.
  explicit ScriptedServer(std::vector<Play> plays);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url() const;  // "http://127.0.0.1:PORT"
  [[nodiscard]] std::vector<ReceivedRequest> requests() const;
  // All bytes of connections that never became an HTTP request (a TLS handshake).
  [[nodiscard]] std::string stray_bytes() const;
  [[nodiscard]] int connection_count() const;
  // Waits until `count` requests were read (their bodies, too).
  void AwaitRequests(size_t count) const;
  void Add(Play play);

 private:
  void Accept();
  void Serve(int descriptor, int connection);
  bool Exchange(int descriptor, int connection, std::string& buffered);
  Play NextPlay();

  int listener_ = -1;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::deque<Play> plays_;
  std::vector<ReceivedRequest> requests_;
  std::vector<int> open_;
  std::string stray_;
  int connections_ = 0;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
  std::jthread acceptor_;
};

}  // namespace sluice
