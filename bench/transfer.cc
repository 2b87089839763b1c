// One body over our transport, to or from a file, for comparing with the curl command:
//
//   transfer download URL FILE
//   transfer upload URL FILE           the transport alone
//   transfer upload-hashed URL FILE    with the SHA-256 that an upload to a service computes
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/files/sha256.h"
#include "api/http/curl_transport.h"
#include "io/file/file_system.h"

namespace sluice {
namespace {

Result<void> Send(HttpRequest request) {
  request.answer_bytes_max = std::numeric_limits<uint64_t>::max();
  request.timeout = std::chrono::milliseconds(0);
  const auto transport = MakeCurlTransport({});
  SLUICE_ASSIGN(const HttpResponse response, transport->Send(request));
  if (!response.ok()) {
    return Fail(ErrorCode::kBadAnswer, fmt::format("status {}", response.status));
  }
  return {};
}

Result<void> Download(const std::string& url, const std::string& path) {
  const auto files = MakePosixFileSystem();
  SLUICE_ASSIGN(const auto file, files->Open(path, OpenMode::kCreate));
  return Send({.url = url, .body_writer = [&file](std::span<const std::byte> bytes) {
                 return file->Write(bytes);
               }});
}

Result<void> Upload(const std::string& url, const std::string& path, bool hashed) {
  const auto files = MakePosixFileSystem();
  SLUICE_ASSIGN(const auto file, files->Open(path, OpenMode::kRead));
  SLUICE_ASSIGN(const uint64_t size, file->Size());
  Sha256 hash;
  const BodyReader read = [&](std::span<std::byte> buffer) -> Result<size_t> {
    SLUICE_ASSIGN(const size_t count, file->Read(buffer));
    if (hashed) {
      hash.Update(buffer.first(count));
    }
    return count;
  };
  SLUICE_TRY(Send({.method = "PUT", .url = url, .body_reader = read, .body_size = size}));
  if (hashed) {
    fmt::print("{}\n", hash.HexDigest());
  }
  return {};
}

Result<void> Transfer(std::string_view what, const std::string& url, const std::string& path) {
  if (what == "download") {
    return Download(url, path);
  }
  if (what == "upload" || what == "upload-hashed") {
    return Upload(url, path, what == "upload-hashed");
  }
  return Fail(ErrorCode::kUsage, "neither download, upload nor upload-hashed");
}

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: transfer download|upload|upload-hashed URL FILE\n");
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  const auto done = sluice::Transfer(argv[1], argv[2], argv[3]);
  if (!done.has_value()) {
    fmt::print(stderr, "error: {}\n", done.error().message);
    return 1;
  }
}
