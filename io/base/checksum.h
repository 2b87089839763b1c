// Checksum: XXH3 64 bit, for telling whether bytes on our own disk changed. Not for anything that
// an enemy chooses; what a service stores is compared by SHA-256 (api/files). One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace sluice {

class Checksum {
 public:
  Checksum();
  ~Checksum();
  Checksum(Checksum&&) noexcept;
  Checksum& operator=(Checksum&&) noexcept;

  void Add(std::span<const std::byte> bytes);
  // Sixteen hex digits over all bytes added so far.
  [[nodiscard]] std::string Hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Over one piece of memory.
[[nodiscard]] uint64_t ChecksumOf(std::span<const std::byte> bytes);

}  // namespace sluice
