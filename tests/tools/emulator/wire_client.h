// WireClient: one TCP connection to a server on loopback, by hand, so that a test can send half a
// request, see a reset, and read an answer as it stands on the wire. One thread at a time.
#pragma once

#include <arpa/inet.h>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace sluice {

using WireHeaders = std::vector<std::pair<std::string, std::string>>;

struct WireReply {
  int status = 0;                              // 0: no answer came
  std::map<std::string, std::string> headers;  // names lower-cased
  std::string body;
  bool whole = false;  // the body came to its announced end

  [[nodiscard]] std::string Header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

class WireClient {
 public:
  explicit WireClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      std::abort();
    }
  }
  ~WireClient() { Close(); }
  WireClient(const WireClient&) = delete;
  WireClient& operator=(const WireClient&) = delete;

  void Close() {
    if (socket_ >= 0) {
      ::close(std::exchange(socket_, -1));
    }
  }

  void Send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) {
        return;
      }
      bytes.remove_prefix(static_cast<size_t>(count));
    }
  }

  // The next answer; status 0 when the connection ended instead.
  WireReply Receive() {
    WireReply reply;
    size_t head_end = std::string::npos;
    while ((head_end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!Fill()) {
        return reply;
      }
    }
    ParseHead(buffer_.substr(0, head_end + 2), reply);
    buffer_.erase(0, head_end + 4);
    if (reply.Header("transfer-encoding") == "chunked") {
      reply.whole = TakeChunks(reply.body);
    } else if (reply.status >= 200) {
      const std::string length = reply.Header("content-length");
      reply.whole = Take(length.empty() ? 0 : std::stoull(length), reply.body);
    }
    return reply;
  }

  // True when the peer reset or ended the connection with nothing more to say.
  bool Ended() { return buffer_.empty() && !Fill(); }

 private:
  bool Fill() {
    char block[65536];
    const ssize_t count = ::recv(socket_, block, sizeof block, 0);
    if (count > 0) {
      buffer_.append(block, static_cast<size_t>(count));
    }
    return count > 0;
  }

  bool Take(size_t size, std::string& body) {
    while (buffer_.size() < size && Fill()) {
    }
    const bool whole = buffer_.size() >= size;
    body += buffer_.substr(0, size);
    buffer_.erase(0, size);
    return whole;
  }

  bool TakeChunks(std::string& body) {
    while (true) {
      size_t line_end = std::string::npos;
      while ((line_end = buffer_.find("\r\n")) == std::string::npos) {
        if (!Fill()) {
          return false;
        }
      }
      const size_t size = std::stoull(buffer_.substr(0, line_end), nullptr, 16);
      buffer_.erase(0, line_end + 2);
      std::string line_feed;
      if (!Take(size, body) || !Take(2, line_feed)) {
        return false;
      }
      if (size == 0) {
        return true;
      }
    }
  }

  static void ParseHead(const std::string& head, WireReply& reply) {
    reply.status = std::atoi(head.c_str() + head.find(' '));
    size_t start = head.find("\r\n") + 2;
    while (start < head.size()) {
      const size_t end = head.find("\r\n", start);
      const std::string line = head.substr(start, end - start);
      std::string name = line.substr(0, line.find(':'));
      for (char& c : name) {
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      }
      reply.headers[name] = line.substr(line.find(':') + 2);
      start = end + 2;
    }
  }

  int socket_;
  std::string buffer_;
};

[[nodiscard]] inline std::string RequestText(const std::string& method, const std::string& target,
                                             const WireHeaders& headers, std::string_view body) {
  std::string text = method + ' ' + target + " HTTP/1.1\r\nHost: localhost\r\n";
  for (const auto& [name, value] : headers) {
    text += name + ": " + value + "\r\n";
  }
  text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  return text.append(body);
}

[[nodiscard]] inline WireReply CallOnce(int port, const std::string& method,
                                        const std::string& target, const WireHeaders& headers = {},
                                        std::string_view body = "") {
  WireClient client(port);
  client.Send(RequestText(method, target, headers, body));
  return client.Receive();
}

}  // namespace sluice
