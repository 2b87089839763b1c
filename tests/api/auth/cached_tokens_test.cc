#include "api/auth/cached_tokens.h"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

#include "tests/support/manual_clock.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Fetcher {
  Result<FreshToken> operator()(const std::stop_token&) const {
    ++*count;
    if (*failure) {
      return std::unexpected(**failure);
    }
    return FreshToken{.value = "token-" + std::to_string(count->load()), .life = life};
  }
  milliseconds life = seconds(3600);
  std::shared_ptr<std::atomic<int>> count = std::make_shared<std::atomic<int>>(0);
  std::shared_ptr<std::optional<Error>> failure = std::make_shared<std::optional<Error>>();
};

TEST(CachedTokens, GivesATokenOutUntilAQuarterOfItsLifeIsLeft) {
  const Fetcher fetcher{.life = seconds(100)};
  ManualClock clock;
  CachedTokens tokens(fetcher, "me", "quota", clock);
  EXPECT_EQ(tokens.account(), "me");
  EXPECT_EQ(tokens.quota_project(), "quota");
  EXPECT_EQ(tokens.Token({}).value(), "token-1");
  clock.SleepUntil(clock.Now() + seconds(74), {});
  EXPECT_EQ(tokens.Token({}).value(), "token-1");
  clock.SleepUntil(clock.Now() + seconds(1), {});
  EXPECT_EQ(tokens.Token({}).value(), "token-2");
}

TEST(CachedTokens, RenewsLongTokensBeforeTheyEnd) {
  const Fetcher fetcher;
  ManualClock clock;
  CachedTokens tokens(fetcher, "", "", clock);
  EXPECT_EQ(tokens.Token({}).value(), "token-1");
  clock.SleepUntil(clock.Now() + seconds(3600) - CachedTokens::kRenewBefore - seconds(1), {});
  EXPECT_EQ(tokens.Token({}).value(), "token-1");
  clock.SleepUntil(clock.Now() + seconds(1), {});
  EXPECT_EQ(tokens.Token({}).value(), "token-2");
}

TEST(CachedTokens, GivesUpWhatAServiceRefused) {
  const Fetcher fetcher;
  ManualClock clock;
  CachedTokens tokens(fetcher, "", "", clock);
  EXPECT_EQ(tokens.Token({}).value(), "token-1");
  tokens.Refused("another");
  EXPECT_EQ(tokens.Token({}).value(), "token-1");
  tokens.Refused("token-1");
  EXPECT_EQ(tokens.Token({}).value(), "token-2");
}

TEST(CachedTokens, AnOldTokenServesOnWhileTheServiceIsDown) {
  const Fetcher fetcher{.life = seconds(100)};
  ManualClock clock;
  CachedTokens tokens(fetcher, "", "", clock);
  EXPECT_EQ(tokens.Token({}).value(), "token-1");
  *fetcher.failure = Error{.code = ErrorCode::kUnavailable, .message = "down"};
  clock.SleepUntil(clock.Now() + seconds(80), {});
  EXPECT_EQ(tokens.Token({}).value(), "token-1");
  clock.SleepUntil(clock.Now() + seconds(20), {});
  EXPECT_EQ(tokens.Token({}).error().code, ErrorCode::kUnavailable);
  fetcher.failure->reset();
  EXPECT_EQ(tokens.Token({}).value(), "token-4");
}

TEST(CachedTokens, AskForARefusedSignInOnlyOnce) {
  const Fetcher fetcher;
  *fetcher.failure = Error{.code = ErrorCode::kAuth, .message = "revoked"};
  ManualClock clock;
  CachedTokens tokens(fetcher, "", "", clock);
  EXPECT_EQ(tokens.Token({}).error().message, "revoked");
  EXPECT_EQ(tokens.Token({}).error().message, "revoked");
  EXPECT_EQ(*fetcher.count, 1);
}

TEST(CachedTokens, ManyThreadsShareOneFetch) {
  const Fetcher fetcher;
  SystemClock clock;
  const auto slow = [&](const std::stop_token& stop) {
    clock.SleepUntil(clock.Now() + milliseconds(50), {});
    return fetcher(stop);
  };
  CachedTokens tokens(slow, "", "", clock);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 16; ++i) {
      threads.emplace_back([&] { EXPECT_EQ(tokens.Token({}).value(), "token-1"); });
    }
  }
  EXPECT_EQ(*fetcher.count, 1);
}

TEST(CachedTokens, WhoWaitsForAnotherCanBeStopped) {
  ManualClock clock;
  std::atomic<bool> fetching = false;
  std::stop_source end;
  CachedTokens tokens(
      [&](const std::stop_token& stop) -> Result<FreshToken> {
        fetching = true;
        fetching.notify_all();
        while (!stop.stop_requested()) {
          std::this_thread::yield();
        }
        return Fail(ErrorCode::kUnfinished, "stopped");
      },
      "", "", clock);
  const std::jthread first(
      [&] { EXPECT_EQ(tokens.Token(end.get_token()).error().code, ErrorCode::kUnfinished); });
  fetching.wait(false);
  std::stop_source mine;
  mine.request_stop();
  EXPECT_EQ(tokens.Token(mine.get_token()).error().code, ErrorCode::kUnfinished);
  end.request_stop();
}

}  // namespace
}  // namespace sluice
