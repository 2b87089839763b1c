#include "api/auth/signed_assertion.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "io/base/exhaustion.h"
#include "io/file/file_system.h"
#include "io/json/base64.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

// https://developers.google.com/identity/protocols/oauth2/service-account, 2026-11: at most.
constexpr std::chrono::hours kLife{1};

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

std::string Base64Url(std::string_view bytes) {
  std::string text = EncodeBase64(AsBytes(bytes));
  text.erase(std::ranges::find(text, '='), text.end());
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// OpenSSL would ask the terminal for the passphrase of a key that has one.
int RefusePassphrase(char*, int, int, void*) { return 0; }

Result<std::string> Sign(const std::string& pem, std::string_view text) {
  const std::unique_ptr<BIO, FreeBio> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  RequireMemory(bio != nullptr);
  const std::unique_ptr<EVP_PKEY, FreeKey> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, RefusePassphrase, nullptr));
  if (key == nullptr || EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA) {
    return Fail(ErrorCode::kAuth, "the service account's private_key is no RSA key in PEM");
  }
  const std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
  RequireMemory(context != nullptr);
  std::string signature(static_cast<size_t>(EVP_PKEY_size(key.get())), '\0');
  size_t size = signature.size();
  const bool is_signed =
      EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  if (!is_signed) {
    return Fail(ErrorCode::kAuth, "the service account's private_key cannot sign");
  }
  signature.resize(size);
  return signature;
}

}  // namespace

Result<std::string> SignAssertion(const ServiceAccountKey& key, const char* scope, WallTime now) {
  const int64_t begin =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  const Json header = {{"alg", "RS256"}, {"typ", "JWT"}, {"kid", key.private_key_id}};
  const Json claims = {{"iss", key.client_email},
                       {"aud", key.token_url},
                       {"scope", scope},
                       {"iat", begin},
                       {"exp", begin + std::chrono::seconds(kLife).count()}};
  const std::string text = Base64Url(Dump(header)) + '.' + Base64Url(Dump(claims));
  SLUICE_ASSIGN(const std::string signature, Sign(key.private_key, text));
  return text + '.' + Base64Url(signature);
}

}  // namespace sluice
