#include "tools/list_flags.h"

#include <fmt/format.h>

namespace sluice {

Result<ListFlags> ReadListFlags(const Arguments& arguments) {
  constexpr int64_t kPageSizeMax = 1000;
  ListFlags flags;
  SLUICE_ASSIGN(const auto page_size, arguments.Integer("--page-size", 1, kPageSizeMax));
  SLUICE_ASSIGN(const auto limit, arguments.Integer("--limit", 0, INT64_MAX));
  flags.one_page = page_size.has_value() || arguments.Has("--page-token");
  if (flags.one_page && limit) {
    return Fail(ErrorCode::kUsage, "--limit does not go with --page-size or --page-token",
                "these two ask for a single page; --limit counts over all pages");
  }
  flags.page_size = static_cast<int>(page_size.value_or(flags.page_size));
  flags.page_token = arguments.TextOr("--page-token", "");
  flags.limit = static_cast<uint64_t>(limit.value_or(0));
  return flags;
}

void SayNextPage(const Console& console, std::string_view next_page_token) {
  if (!next_page_token.empty()) {
    console.Say(fmt::format("next page: --page-token {}\n",
                            QuoteForShell(EscapeControls(next_page_token))));
  }
}

}  // namespace sluice
