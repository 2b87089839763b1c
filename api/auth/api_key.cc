#include "api/auth/api_key.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fmt/format.h>
#include <string_view>
#include <sys/stat.h>

#include "api/http/url.h"
#include "io/codec/byte_source.h"
#include "io/file/file_system.h"

namespace sluice {
namespace {

constexpr size_t kKeyBytesMax = 4096;
constexpr std::string_view kKeyHint =
    "export GEMINI_API_KEY=..., or --api-key-file FILE, or try it without a key: --backend local";

Result<std::string> ReadKey(ByteSource& source) {
  std::array<std::byte, kKeyBytesMax + 1> buffer{};
  size_t size = 0;
  while (size < buffer.size()) {
    SLUICE_ASSIGN(const size_t more, source.Read(std::span(buffer).subspan(size)));
    if (more == 0) {
      break;
    }
    size += more;
  }
  return std::string(reinterpret_cast<const char*>(buffer.data()), size);
}

// `key.value` as it was found becomes the key, or an Error that does not show it.
Result<ApiKey> Checked(ApiKey key) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t begin = std::min(key.value.find_first_not_of(kBlank), key.value.size());
  const size_t end = key.value.find_last_not_of(kBlank) + 1;
  key.value = begin < end ? key.value.substr(begin, end - begin) : std::string();
  if (key.value.empty()) {
    return Fail(ErrorCode::kAuth, fmt::format("the API key in {} is empty", key.origin),
                std::string(kKeyHint));
  }
  const bool plain = std::ranges::all_of(key.value, [](char c) { return c > 0x20 && c < 0x7f; });
  if (!plain || key.value.size() > kKeyBytesMax) {
    return Fail(
        ErrorCode::kAuth,
        fmt::format("the API key in {} is not a key: it must be one word of plain characters",
                    key.origin),
        std::string(kKeyHint));
  }
  return key;
}

Result<ApiKey> ReadKeyFile(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) {
    return std::unexpected(SystemError("read", path, errno));
  }
  ApiKey key{.value = {}, .origin = path};
  key.readable_by_others = S_ISREG(status.st_mode) && (status.st_mode & (S_IRGRP | S_IROTH)) != 0;
  const auto files = MakePosixFileSystem();
  SLUICE_ASSIGN(auto file, files->Open(path, OpenMode::kRead));
  SLUICE_ASSIGN(key.value, ReadKey(*MakeFileSource(std::move(file))));
  return key;
}

// A key that cannot be read is a missing key: trying again does not help.
Result<ApiKey> FromFile(const std::string& path) {
  Result<ApiKey> key = ReadKeyFile(path);
  if (!key.has_value()) {
    return Fail(ErrorCode::kAuth, "no API key: " + key.error().message, std::string(kKeyHint));
  }
  return Checked(*std::move(key));
}

std::optional<ApiKey> FromVariables(const EnvironmentLookup& environment) {
  for (const char* name : {"GOOGLE_API_KEY", "GEMINI_API_KEY"}) {
    if (auto value = environment(name); value && !value->empty()) {
      return ApiKey{.value = *std::move(value), .origin = name};
    }
  }
  return std::nullopt;
}

}  // namespace

std::string ApiKey::warning() const {
  return readable_by_others
             ? fmt::format("others can read the API key in {}: chmod 600 {}", origin, origin)
             : "";
}

std::optional<std::string> ProcessVariable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

Result<ApiKey> FindApiKey(const std::string& key_file, const EnvironmentLookup& environment) {
  if (key_file == "-") {
    ApiKey key{.value = {}, .origin = "standard input"};
    SLUICE_ASSIGN(key.value, ReadKey(*MakeStandardInputSource({})));
    return Checked(std::move(key));
  }
  if (!key_file.empty()) {
    return FromFile(key_file);
  }
  if (auto key = FromVariables(environment)) {
    return Checked(*std::move(key));
  }
  return Fail(ErrorCode::kAuth, "no API key for backend 'gemini'", std::string(kKeyHint));
}

Result<ApiKey> FindApiKeyFor(const std::string& base_url, const std::string& key_file,
                             const EnvironmentLookup& environment) {
  const auto origin = ParseOrigin(base_url);
  const bool any_will_do = origin && IsLoopback(*origin);
  if (any_will_do && key_file.empty() && !FromVariables(environment)) {
    return ApiKey{.value = "none", .origin = "loopback"};
  }
  return FindApiKey(key_file, environment);
}

}  // namespace sluice
