#include "api/http/paged_list.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using List = PagedList<int>;

struct Pages {
  std::vector<std::string> fetched;
  std::vector<Result<List::Page>> pages;
  List::Fetch fetch = [this](const std::string& token) {
    fetched.push_back(token);
    return pages.at(fetched.size() - 1);
  };
};

TEST(PagedList, FetchesAPageWhenItsItemsAreNeeded) {
  Pages test;
  test.pages = {List::Page{.items = {1, 2}, .next_page_token = "b"},
                List::Page{.items = {}, .next_page_token = "c"}, List::Page{.items = {3}}};
  List list(test.fetch);
  EXPECT_TRUE(test.fetched.empty());
  EXPECT_EQ(list.Next().value(), 1);
  EXPECT_EQ(list.Next().value(), 2);
  EXPECT_EQ(test.fetched, (std::vector<std::string>{""}));
  EXPECT_EQ(list.Next().value(), 3);
  EXPECT_EQ(test.fetched, (std::vector<std::string>{"", "b", "c"}));
  EXPECT_FALSE(list.Next().value().has_value());
  EXPECT_FALSE(list.Next().value().has_value());
  EXPECT_EQ(test.fetched.size(), 3U);
}

TEST(PagedList, BeginsAtTheGivenPage) {
  Pages test;
  test.pages = {List::Page{.items = {5}}};
  EXPECT_EQ(List(test.fetch, "t").Rest().value(), (std::vector<int>{5}));
  EXPECT_EQ(test.fetched, (std::vector<std::string>{"t"}));
}

TEST(PagedList, ALoopIsAnErrorAndNoEndlessList) {
  Pages test;
  test.pages = {List::Page{.next_page_token = "a"}, List::Page{.next_page_token = "b"},
                List::Page{.next_page_token = "a"}};
  EXPECT_EQ(List(test.fetch).Rest().error().code, ErrorCode::kBadAnswer);
}

TEST(PagedList, AFailedPageMayBeTriedAgain) {
  Pages test;
  test.pages = {List::Page{.items = {1}, .next_page_token = "b"},
                Fail(ErrorCode::kUnavailable, "busy"), List::Page{.items = {2}}};
  List list(test.fetch);
  EXPECT_EQ(list.Next().value(), 1);
  EXPECT_EQ(list.Next().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(list.Next().value(), 2);
}

}  // namespace
}  // namespace sluice
