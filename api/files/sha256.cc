#include "api/files/sha256.h"

#include <array>
#include <openssl/evp.h>
#include <vector>

#include "io/base/error.h"
#include "io/base/exhaustion.h"
#include "io/file/file_system.h"

namespace sluice {
namespace {

constexpr size_t kDigestBytes = 32;

std::string Base64(std::span<const unsigned char> bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock ends with a NUL.
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes.data(),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(size));
  return out;
}

std::vector<unsigned char> BytesOfHex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::vector<unsigned char> bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<unsigned char>(digit(hex[i]) * 16 + digit(hex[i + 1])));
  }
  return bytes;
}

}  // namespace

struct Sha256::State {
  struct Free {
    void operator()(EVP_MD_CTX* held) const { EVP_MD_CTX_free(held); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  RequireMemory(state_->context != nullptr);
  RequireMemory(EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) == 1);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::Update(std::span<const std::byte> bytes) {
  SLUICE_CHECK(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1,
               "SHA-256 failed");
}

std::string Sha256::HexDigest() {
  std::array<unsigned char, kDigestBytes> digest{};
  SLUICE_CHECK(EVP_DigestFinal_ex(state_->context.get(), digest.data(), nullptr) == 1,
               "SHA-256 failed");
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : digest) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

std::string Sha256Hex(std::string_view text) {
  Sha256 hash;
  hash.Update(AsBytes(text));
  return hash.HexDigest();
}

bool IsSameSha256(std::string_view hash, std::string_view hex) {
  const std::span hex_bytes(reinterpret_cast<const unsigned char*>(hex.data()), hex.size());
  return hash == Base64(hex_bytes) || hash == Base64(BytesOfHex(hex));
}

}  // namespace sluice
