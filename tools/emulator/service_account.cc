#include "tools/emulator/service_account.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <optional>

#include "api/http/json_fields.h"
#include "io/file/atomic_file.h"
#include "io/json/json_document.h"

namespace sluice {

namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr uint64_t kKeyFileBytesMax = 64 << 10;
constexpr unsigned kKeyBits = 2048;
// By which the key is known in requests.
constexpr const char* kKeyId = "0123456789abcdef0123456789abcdef01234567";
// https://developers.google.com/identity/protocols/oauth2/service-account, 2026-11: an hour; the
// rest is for clocks that differ.
constexpr std::chrono::seconds kLifeMax{3600};
constexpr std::chrono::seconds kSkewMax{300};

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using KeyPointer = std::unique_ptr<EVP_PKEY, FreeKey>;
using BioPointer = std::unique_ptr<BIO, FreeBio>;

std::optional<std::string> DecodeBase64Url(std::string_view text) {
  std::string padded(text);
  for (char& c : padded) {
    c = c == '-' ? '+' : c == '_' ? '/' : c;
  }
  padded.append((4 - padded.size() % 4) % 4, '=');
  std::string bytes(padded.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(padded.data()),
                                   static_cast<int>(padded.size()));
  if (size < 0) {
    return std::nullopt;
  }
  bytes.resize(text.size() * 3 / 4);
  return bytes;
}

OrderedJson ParsePart(std::string_view text) {
  const auto bytes = DecodeBase64Url(text);
  return bytes.has_value() ? ParseOrderedJson(*bytes) : OrderedJson();
}

bool IsSignedBy(EVP_PKEY* key, std::string_view text, std::string_view signature) {
  const std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                          signature.size(), reinterpret_cast<const unsigned char*>(text.data()),
                          text.size()) == 1;
}

// What Google's own token service is called; clients name it whatever address the key file has.
constexpr std::string_view kGoogleTokenUrl = "https://oauth2.googleapis.com/token";

bool IsInItsTime(const OrderedJson& claims, WallTime now) {
  const auto at = [&](const char* name) {
    return WallTime(std::chrono::seconds(IntegerMember(claims, name).value_or(0)));
  };
  return at("iat") <= now + kSkewMax && at("exp") > now && at("exp") <= at("iat") + kLifeMax;
}

std::string RefusalOfClaims(const OrderedJson& claims, const std::string& token_url, WallTime now) {
  if (TextMember(claims, "iss") != ServiceAccount::kEmail) {
    return "Invalid grant: account not found";
  }
  const std::string audience = TextMember(claims, "aud");
  if (audience != token_url && audience != kGoogleTokenUrl) {
    return "Invalid JWT: the audience is another service";
  }
  if (TextMember(claims, "scope").empty()) {
    return "Invalid JWT: no scope was asked for";
  }
  if (!IsInItsTime(claims, now)) {
    return "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable "
           "timeframe.";
  }
  return "";
}

// The claims of a JWT that `key` signed, or nothing.
std::optional<OrderedJson> SignedClaims(EVP_PKEY* key, std::string_view token) {
  const size_t first = token.find('.');
  const size_t second = token.rfind('.');
  if (first == std::string_view::npos || first == second) {
    return std::nullopt;
  }
  const auto signature = DecodeBase64Url(token.substr(second + 1));
  if (TextMember(ParsePart(token.substr(0, first)), "alg") != "RS256" || !signature.has_value() ||
      !IsSignedBy(key, token.substr(0, second), *signature)) {
    return std::nullopt;
  }
  return ParsePart(token.substr(first + 1, second - first - 1));
}

}  // namespace

struct ServiceAccount::Key {
  KeyPointer pair;
};

Result<ServiceAccount> ServiceAccount::OfFile(FileSystem& files, const std::string& path) {
  auto key = std::make_shared<Key>();
  if (!files.Exists(path)) {
    key->pair.reset(EVP_RSA_gen(kKeyBits));
    SLUICE_CHECK(key->pair != nullptr, "OpenSSL makes no key");
    return ServiceAccount(std::move(key));
  }
  SLUICE_ASSIGN(const std::string text, ReadWholeFile(files, path, kKeyFileBytesMax));
  const OrderedJson json = ParseOrderedJson(text);
  const std::string pem = TextMember(json, "private_key");
  const BioPointer bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  key->pair.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (key->pair == nullptr) {
    return Fail(ErrorCode::kUsage,
                fmt::format("'{}' is there already and holds no key of a service account", path));
  }
  return ServiceAccount(std::move(key));
}

Result<void> ServiceAccount::WriteFile(FileSystem& files, const std::string& path,
                                       const std::string& base_url) const {
  const BioPointer bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(bio.get(), key_->pair.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* pem = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &pem);
  const OrderedJson json = {{"type", "service_account"},
                            {"project_id", kProject},
                            {"private_key_id", kKeyId},
                            {"private_key", std::string(pem, static_cast<size_t>(size))},
                            {"client_email", kEmail},
                            {"client_id", "100000000000000000000"},
                            {"auth_uri", base_url + "/auth"},
                            {"token_uri", base_url + "/token"},
                            {"universe_domain", "googleapis.com"}};
  return WriteFileAtomically(files, path, json.dump(2) + '\n');
}

std::string ServiceAccount::RefusalOf(std::string_view assertion, const std::string& token_url,
                                      WallTime now) const {
  const auto claims = SignedClaims(key_->pair.get(), assertion);
  return claims.has_value() ? RefusalOfClaims(*claims, token_url, now) : "Invalid JWT Signature.";
}

}  // namespace sluice
