#include "tests/support/scripted_server.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cctype>
#include <chrono>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/base/error.h"

namespace sluice {
namespace {

bool SendAll(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool SendSlowly(int descriptor, std::string_view bytes, std::chrono::milliseconds pause) {
  for (const char& byte : bytes) {
    if (!SendAll(descriptor, {&byte, 1})) {
      return false;
    }
    std::this_thread::sleep_for(pause);
  }
  return true;
}

bool ReceiveMore(int descriptor, std::string& buffered) {
  std::array<char, 65536> part{};
  const ssize_t size = recv(descriptor, part.data(), part.size(), 0);
  if (size <= 0) {
    return false;
  }
  buffered.append(part.data(), static_cast<size_t>(size));
  return true;
}

ReceivedRequest ParseHead(std::string_view head) {
  ReceivedRequest request;
  size_t line_end = head.find("\r\n");
  const std::string_view first = head.substr(0, line_end);
  request.method = first.substr(0, first.find(' '));
  const size_t target = first.find(' ') + 1;
  request.target = first.substr(target, first.rfind(' ') - target);
  while (line_end + 2 < head.size()) {
    const size_t begin = line_end + 2;
    line_end = std::min(head.find("\r\n", begin), head.size());
    const std::string_view line = head.substr(begin, line_end - begin);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
      continue;
    }
    std::string name(line.substr(0, colon));
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const size_t value = std::min(line.find_first_not_of(' ', colon + 1), line.size());
    request.headers.emplace_back(std::move(name), line.substr(value));
  }
  return request;
}

}  // namespace

std::string ReceivedRequest::Header(std::string_view name) const {
  for (const auto& [header, value] : headers) {
    if (header == name) {
      return value;
    }
  }
  return {};
}

std::string HttpAnswer(int status, std::string_view body,
                       const std::vector<std::string>& header_lines) {
  std::string answer =
      fmt::format("HTTP/1.1 {} Status\r\nContent-Length: {}\r\n", status, body.size());
  for (const std::string& line : header_lines) {
    answer += line + "\r\n";
  }
  return answer + "\r\n" + std::string(body);
}

Play JsonPlay(int status, std::string_view body) {
  return {.answer = HttpAnswer(status, body, {"Content-Type: application/json; charset=UTF-8"})};
}

ScriptedServer::ScriptedServer(std::vector<Play> plays)
    : plays_(std::make_move_iterator(plays.begin()), std::make_move_iterator(plays.end())) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  SLUICE_CHECK(bind(listener_, generic, size) == 0 && listen(listener_, 64) == 0 &&
                   getsockname(listener_, generic, &size) == 0,
               "no loopback port");
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread([this] { Accept(); });
}

ScriptedServer::~ScriptedServer() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    for (const int descriptor : open_) {
      shutdown(descriptor, SHUT_RDWR);
    }
  }
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  threads_.clear();
  close(listener_);
}

std::string ScriptedServer::url() const { return fmt::format("http://127.0.0.1:{}", port_); }

std::vector<ReceivedRequest> ScriptedServer::requests() const {
  const std::scoped_lock lock(mutex_);
  return requests_;
}

std::string ScriptedServer::stray_bytes() const {
  const std::scoped_lock lock(mutex_);
  return stray_;
}

int ScriptedServer::connection_count() const {
  const std::scoped_lock lock(mutex_);
  return connections_;
}

void ScriptedServer::AwaitRequests(size_t count) const {
  while (requests().size() < count) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void ScriptedServer::Add(Play play) {
  const std::scoped_lock lock(mutex_);
  plays_.push_back(std::move(play));
}

void ScriptedServer::Accept() {
  while (true) {
    const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const std::scoped_lock lock(mutex_);
    if (descriptor < 0 || stopping_) {
      if (descriptor >= 0) {
        close(descriptor);
      }
      return;
    }
    open_.push_back(descriptor);
    const int connection = ++connections_;
    threads_.emplace_back([this, descriptor, connection] { Serve(descriptor, connection); });
  }
}

void ScriptedServer::Serve(int descriptor, int connection) {
  std::string buffered;
  while (Exchange(descriptor, connection, buffered)) {
  }
  const std::scoped_lock lock(mutex_);
  stray_ += buffered;
  std::erase(open_, descriptor);
  close(descriptor);
}

bool ScriptedServer::Exchange(int descriptor, int connection, std::string& buffered) {
  constexpr std::string_view kHeadEnd = "\r\n\r\n";
  size_t head_end = 0;
  while ((head_end = buffered.find(kHeadEnd)) == std::string::npos) {
    if (!ReceiveMore(descriptor, buffered)) {
      return false;
    }
  }
  ReceivedRequest request = ParseHead(std::string_view(buffered).substr(0, head_end));
  request.connection = connection;
  buffered.erase(0, head_end + kHeadEnd.size());

  const Play play = NextPlay();
  const std::string length = request.Header("content-length");
  const size_t body_size =
      std::min(length.empty() ? size_t{0} : std::stoul(length), play.read_body_max);
  while (buffered.size() < body_size && ReceiveMore(descriptor, buffered)) {
  }
  request.body = buffered.substr(0, body_size);
  buffered.erase(0, body_size);
  {
    const std::scoped_lock lock(mutex_);
    requests_.push_back(std::move(request));
  }

  bool going = play.pause_per_byte.count() > 0
                   ? SendSlowly(descriptor, play.answer, play.pause_per_byte)
                   : SendAll(descriptor, play.answer);
  switch (play.end) {
    case Play::End::kKeep:
      return going;
    case Play::End::kClose:
      return false;
    case Play::End::kReset: {
      const linger now{.l_onoff = 1, .l_linger = 0};
      setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
      return false;
    }
    case Play::End::kHang:
      while (ReceiveMore(descriptor, buffered)) {
      }
      return false;
    case Play::End::kEndless:
      while (going) {
        going = SendAll(descriptor, std::string(65536, 'x'));
      }
      return false;
  }
  return false;
}

Play ScriptedServer::NextPlay() {
  const std::scoped_lock lock(mutex_);
  if (plays_.empty()) {
    return {.answer = {}, .end = Play::End::kClose};
  }
  Play play = std::move(plays_.front());
  plays_.pop_front();
  return play;
}

}  // namespace sluice
