// Uploads and downloads that break again and again, at places drawn from a seed: in the end the
// bytes are right, or the transfer says that they are not, and little is sent twice.
#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>

#include "api/files/files_client.h"
#include "api/files/sha256.h"
#include "tests/support/manual_clock.h"
#include "tests/support/test_key.h"

namespace sluice {
namespace {

constexpr uint64_t kSize = 100'000;

const std::string& Content() {
  static const std::string content = [] {
    std::string text;
    for (uint32_t state = 1; text.size() < kSize;) {
      state = state * 1664525 + 1013904223;
      text += static_cast<char>('a' + (state >> 24) % 26);
    }
    return text;
  }();
  return content;
}

std::string HeaderOf(const HttpRequest& request, std::string_view name) {
  const auto found =
      std::ranges::find(request.headers, name, [](const auto& header) { return header.first; });
  return found == request.headers.end() ? "" : found->second;
}

// Breaks most exchanges that carry the content.
class BreakingService final : public Transport {
 public:
  explicit BreakingService(unsigned seed) : random_(seed) {}

  Result<HttpResponse> Send(const HttpRequest& request) override {
    const std::string command = HeaderOf(request, "X-Goog-Upload-Command");
    if (command.empty()) {
      return Download(request);
    }
    if (command == "start") {
      return HttpResponse{.status = 200,
                          .headers = {{"x-goog-upload-url", "http://127.0.0.1:9/u?upload_id=1"}}};
    }
    return command == "query" ? Standing() : Upload(request);
  }

  [[nodiscard]] const std::string& stored() const { return stored_; }
  [[nodiscard]] uint64_t sent() const { return sent_; }
  [[nodiscard]] uint64_t lost() const { return lost_; }  // sent, but not kept by the service

 private:
  uint64_t Draw(uint64_t most) { return std::uniform_int_distribution<uint64_t>(0, most)(random_); }

  HttpResponse Standing() const {
    return {.status = 200,
            .headers = {{"x-goog-upload-status", "active"},
                        {"x-goog-upload-size-received", std::to_string(stored_.size())}}};
  }

  Result<HttpResponse> Upload(const HttpRequest& request) {
    EXPECT_EQ(HeaderOf(request, "X-Goog-Upload-Offset"), std::to_string(stored_.size()));
    const uint64_t left = kSize - stored_.size();
    const bool breaks = Draw(9) > 0 && left > 0;
    const uint64_t taken = breaks ? Draw(left) : left;
    std::string part(taken, '\0');
    for (size_t at = 0; at < taken;) {
      const auto rest = std::as_writable_bytes(std::span(part)).subspan(at);
      SLUICE_ASSIGN(const size_t size,
                    request.body_reader(rest.first(std::min<size_t>(rest.size(), 65'536))));
      at += size;
    }
    sent_ += taken;
    const uint64_t kept = breaks ? taken - Draw(std::min<uint64_t>(taken, 4'096)) : taken;
    lost_ += taken - kept;
    stored_ += part.substr(0, kept);
    if (breaks) {
      return Fail(ErrorCode::kTransport, "reset");
    }
    return HttpResponse{
        .status = 200,
        .headers = {{"x-goog-upload-status", "final"}},
        .body = fmt::format(R"({{"file":{{"name":"files/f","sizeBytes":"{}","state":"ACTIVE"}}}})",
                            stored_.size())};
  }

  Result<HttpResponse> Download(const HttpRequest& request) {
    const std::string range = HeaderOf(request, "Range");
    uint64_t begin = range.empty() ? 0 : std::stoull(range.substr(6));
    HttpResponse head{.status = 200, .headers = {{"etag", "\"1\""}}};
    if (begin > 0 && Draw(4) > 0) {
      head.status = 206;
      // Now and then of another place, or of another version.
      const uint64_t told = Draw(9) == 0 ? begin - 1 : begin;
      head.headers = {{"etag", Draw(9) == 0 ? "\"2\"" : "\"1\""},
                      {"content-range", fmt::format("bytes {}-{}/{}", told, kSize - 1, kSize)}};
    } else {
      begin = 0;
      head.headers.emplace_back("content-length", std::to_string(kSize));
    }
    SLUICE_TRY(request.head_reader(head));
    const bool breaks = Draw(9) > 0;
    const uint64_t end = breaks ? begin + Draw(kSize - begin) : kSize;
    SLUICE_TRY(request.body_writer(AsBytes(std::string_view(content_).substr(begin, end - begin))));
    return breaks && end < kSize ? Fail(ErrorCode::kTransport, "reset")
                                 : Result<HttpResponse>(head);
  }

  const std::string& content_ = Content();
  std::mt19937 random_;
  std::string stored_;
  uint64_t sent_ = 0;
  uint64_t lost_ = 0;
};

struct Broken {
  explicit Broken(unsigned seed) : transport(seed) {
    GoogleServiceOptions options;
    options.base_url = "http://127.0.0.1:9";
    options.api_key = kTestKey;
    options.retry.attempts_max = 1000;
    service = GoogleService::Make(std::move(options), transport, clock).value();
  }

  ManualClock clock;
  BreakingService transport;
  std::unique_ptr<GoogleService> service;
};

TEST(CutTransfers, DownloadsAreWholeAfterCutsAtAnyPlace) {
  const std::string& content = Content();
  for (unsigned seed = 0; seed < 500; ++seed) {
    Broken broken(seed);
    std::string bytes;
    const auto writer = [&](std::span<const std::byte> part) -> Result<void> {
      bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
      return {};
    };
    const auto restart = [&]() -> Result<void> {
      bytes.clear();
      return {};
    };
    const auto size = Files(*broken.service).Download("files/batch-f", 2 * kSize, writer, restart);
    ASSERT_TRUE(size.has_value()) << "seed " << seed << ": " << size.error().message;
    ASSERT_EQ(*size, kSize) << "seed " << seed;
    ASSERT_EQ(bytes, content) << "seed " << seed;
  }
}

TEST(CutTransfers, UploadsGoOnWhereTheServiceStands) {
  const std::string& content = Content();
  int runs_through = 0;
  for (unsigned seed = 0; seed < 500; ++seed) {
    Broken broken(seed);
    const auto uploaded = Files(*broken.service).Upload(SourceOfBytes(content), {.file_id = "f"});
    // One that gives up has sent little for nothing, too.
    EXPECT_EQ(broken.transport.sent(), broken.transport.stored().size() + broken.transport.lost());
    EXPECT_TRUE(content.starts_with(broken.transport.stored())) << "seed " << seed;
    if (uploaded.has_value()) {
      ++runs_through;
      EXPECT_EQ(broken.transport.stored(), content) << "seed " << seed;
      EXPECT_EQ(uploaded->sha256, Sha256Hex(content)) << "seed " << seed;
    } else {
      EXPECT_EQ(uploaded.error().code, ErrorCode::kTransport) << "seed " << seed;
    }
  }
  EXPECT_GT(runs_through, 400);
}

}  // namespace
}  // namespace sluice
