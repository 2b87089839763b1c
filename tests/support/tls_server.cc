#include "tests/support/tls_server.h"

#include <arpa/inet.h>
#include <array>
#include <fmt/format.h>
#include <mutex>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "io/base/error.h"

namespace sluice {
namespace {

template <auto kFree>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<&EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<&X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Freed<&SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Freed<&SSL_free>>;

void AddExtension(X509* certificate, int kind, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
  SLUICE_CHECK(extension != nullptr, value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Valid from two days ago to `days` from now; signed with `issuer_key` in the name of `issuer`, or
// by itself.
Certificate MakeCertificate(EVP_PKEY* key, const char* name, int days, const X509* issuer,
                            EVP_PKEY* issuer_key) {
  constexpr long kDay = 86'400;
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), issuer == nullptr ? 1 : 2);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -2 * kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), days * kDay);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(certificate.get(),
                       issuer == nullptr ? subject : X509_get_subject_name(issuer));
  if (issuer == nullptr) {
    AddExtension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  }
  if (name[0] >= '0' && name[0] <= '9') {
    AddExtension(certificate.get(), NID_subject_alt_name, fmt::format("IP:{}", name));
  }
  SLUICE_CHECK(X509_sign(certificate.get(), issuer_key, EVP_sha256()) > 0, "no signature");
  return certificate;
}

}  // namespace

struct TlsServer::State {
  void Accept() {
    while (true) {
      const int descriptor = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (descriptor < 0) {
        return;
      }
      Serve(descriptor);
      close(descriptor);
    }
  }

  // One at a time: a client of these tests has one connection.
  void Serve(int descriptor) {
    {
      const std::scoped_lock lock(mutex);
      ++connections;
    }
    const Session session(SSL_new(context.get()));
    SSL_set_fd(session.get(), descriptor);
    if (SSL_accept(session.get()) != 1) {
      return;
    }
    std::array<char, 4096> part{};
    int size = 0;
    std::string request;
    while (request.find("\r\n\r\n") == std::string::npos &&
           (size = SSL_read(session.get(), part.data(), part.size())) > 0) {
      request.append(part.data(), static_cast<size_t>(size));
    }
    {
      const std::scoped_lock lock(mutex);
      received += request;
    }
    constexpr std::string_view kAnswer =
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    if (!request.empty()) {
      SSL_write(session.get(), kAnswer.data(), static_cast<int>(kAnswer.size()));
      SSL_shutdown(session.get());
    }
  }

  Context context{SSL_CTX_new(TLS_server_method())};
  Certificate authority;
  int listener = -1;
  int port = 0;
  std::mutex mutex;
  std::string received;
  int connections = 0;
  std::jthread acceptor;
};

TlsServer::TlsServer(const TlsServerOptions& options) : state_(std::make_unique<State>()) {
  const Key authority_key(EVP_EC_gen("P-256"));
  const Key key(EVP_EC_gen("P-256"));
  state_->authority = MakeCertificate(authority_key.get(), "An authority of the tests", 2, nullptr,
                                      authority_key.get());
  const int days = options.expired ? -1 : 2;
  const Certificate certificate =
      options.signed_by_itself
          ? MakeCertificate(key.get(), options.address.c_str(), days, nullptr, key.get())
          : MakeCertificate(key.get(), options.address.c_str(), days, state_->authority.get(),
                            authority_key.get());
  SSL_CTX_use_certificate(state_->context.get(), certificate.get());
  SSL_CTX_use_PrivateKey(state_->context.get(), key.get());
  if (options.newest_is_tls_1_1) {
    SSL_CTX_set_min_proto_version(state_->context.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(state_->context.get(), TLS1_1_VERSION);
    SSL_CTX_set_cipher_list(state_->context.get(), "ALL:@SECLEVEL=0");
  }

  state_->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  SLUICE_CHECK(bind(state_->listener, generic, size) == 0 && listen(state_->listener, 8) == 0 &&
                   getsockname(state_->listener, generic, &size) == 0,
               "no loopback port");
  state_->port = ntohs(address.sin_port);
  state_->acceptor = std::jthread([state = state_.get()] { state->Accept(); });
}

TlsServer::~TlsServer() {
  shutdown(state_->listener, SHUT_RDWR);
  state_->acceptor.join();
  close(state_->listener);
}

std::string TlsServer::url() const { return fmt::format("https://127.0.0.1:{}", state_->port); }

std::string TlsServer::AuthorityPem() const {
  BIO* memory = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(memory, state_->authority.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory, &text);
  std::string pem(text, static_cast<size_t>(size));
  BIO_free(memory);
  return pem;
}

std::string TlsServer::received() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->received;
}

int TlsServer::connection_count() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->connections;
}

}  // namespace sluice
