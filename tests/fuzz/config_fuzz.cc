// Settings files: refused with one message that a terminal can show, or read into values for
// options that may stand in a file.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tools/config_file.h"

namespace {

void Expect(bool condition) {
  if (!condition) {
    std::abort();
  }
}

bool IsPrintable(std::string_view text) {
  return std::ranges::none_of(
      text, [](char byte) { return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F; });
}

void ExpectSettings(const sluice::ConfigFile& file, const sluice::CommandSpec& command) {
  for (const sluice::OptionSpec* option : sluice::AllOptions(&command)) {
    // An option of that name may be no setting of this command, but it is one of some command.
    const auto* value = file.Find(command, sluice::OptionName(*option), "night");
    Expect(value == nullptr || file.FindAnywhere(sluice::OptionName(*option)) != nullptr);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = sluice::ConfigFile::Parse(text, "f.toml");
  if (!file.has_value()) {
    Expect(file.error().code == sluice::ErrorCode::kUsage);
    Expect(file.error().message.starts_with("f.toml:") && IsPrintable(file.error().message));
    return 0;
  }
  for (const sluice::CommandSpec& command : sluice::Commands()) {
    ExpectSettings(*file, command);
  }
  return 0;
}
