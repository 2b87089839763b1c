// TlsServer: a TLS server on a free loopback port with a certificate of any kind, which keeps what
// it decrypts: whatever a client sends before it trusts is found there. Thread-safe.
#pragma once

#include <memory>
#include <string>

namespace sluice {

struct TlsServerOptions {
  std::string address = "127.0.0.1";  // that the certificate is for
  bool signed_by_itself = false;      // else by an authority of this server's own
  bool expired = false;
  bool newest_is_tls_1_1 = false;
};

class TlsServer {
 public:
  explicit TlsServer(const TlsServerOptions& options);
  ~TlsServer();

  [[nodiscard]] std::string url() const;  // "https://127.0.0.1:PORT"
  // The certificate of the authority, in PEM.
  [[nodiscard]] std::string AuthorityPem() const;
  // All bytes that came over finished handshakes so far, and how many connections came.
  [[nodiscard]] std::string received() const;
  [[nodiscard]] int connection_count() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice
