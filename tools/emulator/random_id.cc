#include "tools/emulator/random_id.h"

#include <random>
#include <string_view>

namespace sluice {

std::string RandomId(size_t length) {
  constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device device;
  std::uniform_int_distribution<size_t> pick(0, kAlphabet.size() - 1);
  std::string id;
  for (size_t i = 0; i < length; ++i) {
    id += kAlphabet[pick(device)];
  }
  return id;
}

}  // namespace sluice
