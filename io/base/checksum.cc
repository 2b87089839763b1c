#include "io/base/checksum.h"

#include <fmt/format.h>
#if defined(__x86_64__)
#include <xxh_x86dispatch.h>  // the widest registers of this processor, chosen at run time
#else
#include <xxhash.h>
#endif

#include "io/base/exhaustion.h"

namespace sluice {

struct Checksum::State {
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, Free> xxh3{XXH3_createState()};
};

Checksum::Checksum() : state_(std::make_unique<State>()) {
  RequireMemory(state_->xxh3 != nullptr);
  XXH3_64bits_reset(state_->xxh3.get());
}
Checksum::~Checksum() = default;
Checksum::Checksum(Checksum&&) noexcept = default;
Checksum& Checksum::operator=(Checksum&&) noexcept = default;

void Checksum::Add(std::span<const std::byte> bytes) {
  XXH3_64bits_update(state_->xxh3.get(), bytes.data(), bytes.size());
}

std::string Checksum::Hex() const {
  return fmt::format("{:016x}", XXH3_64bits_digest(state_->xxh3.get()));
}

uint64_t ChecksumOf(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace sluice
