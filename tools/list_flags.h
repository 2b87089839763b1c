// --limit, --page-size and --page-token of the commands that list.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/http/paged_list.h"
#include "io/base/error.h"
#include "tools/arguments.h"
#include "tools/output.h"

namespace sluice {

struct ListFlags {
  int page_size = 100;
  std::string page_token = {};
  bool one_page = false;  // that one, as the service gives it
  uint64_t limit = 0;     // 0: all
};

// Errors: kUsage.
[[nodiscard]] Result<ListFlags> ReadListFlags(const Arguments& arguments);

// Where a list that was shown to people goes on.
void SayNextPage(const Console& console, std::string_view next_page_token);

// The first `limit` items (0: all) that are wanted; no page is fetched that is not needed.
template <typename Item>
[[nodiscard]] Result<std::vector<Item>> TakeItems(PagedList<Item> list, uint64_t limit,
                                                  const std::function<bool(const Item&)>& wanted) {
  std::vector<Item> items;
  while (limit == 0 || items.size() < limit) {
    SLUICE_ASSIGN(std::optional<Item> item, list.Next());
    if (!item) {
      break;
    }
    if (wanted(*item)) {
      items.push_back(*std::move(item));
    }
  }
  return items;
}

}  // namespace sluice
