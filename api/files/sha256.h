// Sha256: the SHA-256 of bytes that pass by. One thread at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace sluice {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void Update(std::span<const std::byte> bytes);
  // Lower-case hex; ends the computation.
  [[nodiscard]] std::string HexDigest();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

[[nodiscard]] std::string Sha256Hex(std::string_view text);

// Whether `hash`, as the Files API writes it, is the one whose hex is `hex`. The service's value is
// base64 of the hex text (google-gemini/cookbook, Batch_mode.ipynb, recomputed in 2026); base64 of
// the raw bytes is what the field's type promises, and accepted too.
[[nodiscard]] bool IsSameSha256(std::string_view hash, std::string_view hex);

}  // namespace sluice
