// PagedList: the items of a list that a service gives page by page. Fetches a page only when the
// items before it were taken. One thread at a time.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/base/error.h"

namespace sluice {

// kBadAnswer when a page leads to one that cannot come after it: to itself, or to a token too long
// for an address. `list` names the call.
[[nodiscard]] inline Result<void> CheckNextPage(std::string_view list, std::string_view page_token,
                                                std::string_view next_page_token) {
  constexpr size_t kTokenBytesMax = 4096;
  if (next_page_token.size() > kTokenBytesMax) {
    return Fail(ErrorCode::kBadAnswer, std::string(list) + ": a page token is too long");
  }
  if (!next_page_token.empty() && next_page_token == page_token) {
    return Fail(ErrorCode::kBadAnswer,
                std::string(list) + ": the page token leads back to its page");
  }
  return {};
}

template <typename Item>
class PagedList {
 public:
  struct Page {
    std::vector<Item> items = {};
    std::string next_page_token = {};  // empty at the end
  };
  using Fetch = std::function<Result<Page>(const std::string& page_token)>;

  // `page_token`: where to begin; empty: at the first page.
  explicit PagedList(Fetch fetch, std::string page_token = {})
      : fetch_(std::move(fetch)), page_token_(std::move(page_token)) {}

  // A list that names ever new pages has no end. This many hold ten million jobs.
  static constexpr size_t kPagesMax = 100'000;

  // The next item, or nothing at the end. Errors: those of the list call; kBadAnswer when a page
  // leads back to one that was fetched before, and behind kPagesMax pages. After an Error the same
  // page may be tried again.
  [[nodiscard]] Result<std::optional<Item>> Next() {
    while (taken_ == page_.items.size()) {
      if (ended_) {
        return std::nullopt;
      }
      SLUICE_TRY(FetchPage());
    }
    return std::move(page_.items[taken_++]);
  }

  // All that is left. Errors: as Next(); what came before an Error is lost.
  [[nodiscard]] Result<std::vector<Item>> Rest() {
    std::vector<Item> items;
    while (true) {
      SLUICE_ASSIGN(std::optional<Item> item, Next());
      if (!item) {
        return items;
      }
      items.push_back(*std::move(item));
    }
  }

 private:
  Result<void> FetchPage() {
    SLUICE_ASSIGN(Page page, fetch_(page_token_));
    fetched_.insert(page_token_);
    // The first page has the empty token, and so has the end of the last one.
    if (!page.next_page_token.empty() && fetched_.contains(page.next_page_token)) {
      return Fail(ErrorCode::kBadAnswer, "a list leads back to a page that it gave before");
    }
    if (!page.next_page_token.empty() && fetched_.size() >= kPagesMax) {
      return Fail(ErrorCode::kBadAnswer, "a list has more pages than any list can have");
    }
    page_ = std::move(page);
    taken_ = 0;
    page_token_ = page_.next_page_token;
    ended_ = page_token_.empty();
    return {};
  }

  Fetch fetch_;
  std::string page_token_;  // of the page to fetch next
  std::set<std::string> fetched_;
  Page page_;
  size_t taken_ = 0;
  bool ended_ = false;
};

}  // namespace sluice
