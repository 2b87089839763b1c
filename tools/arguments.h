// Arguments: what was given on the command line for one command, and the typed reading of it. A
// value comes from the flag, else from the option's environment variable. Immutable once parsed.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/error.h"
#include "tools/option_table.h"
#include "tools/units.h"

namespace sluice {

struct Arguments {
  const CommandSpec* command = nullptr;  // null: no command was named
  std::vector<std::string> positionals;
  // By option name ("--output"); a flag that stands alone has an empty value.
  std::map<std::string, std::vector<std::string>, std::less<>> values;
  std::set<std::string, std::less<>> from_environment;  // options that no flag said
  std::vector<std::string> words;                       // all of the command line, as it was given

  [[nodiscard]] bool Has(std::string_view name) const;
  [[nodiscard]] std::optional<std::string> Text(std::string_view name) const;
  [[nodiscard]] std::string TextOr(std::string_view name, std::string_view fallback) const;
  [[nodiscard]] std::vector<std::string> List(std::string_view name) const;
  // Errors: kUsage naming the flag.
  [[nodiscard]] Result<std::optional<uint64_t>> Size(std::string_view name) const;
  [[nodiscard]] Result<std::optional<int64_t>> Integer(std::string_view name, int64_t least,
                                                       int64_t most) const;
  [[nodiscard]] Result<std::optional<std::chrono::milliseconds>> Duration(
      std::string_view name) const;
  [[nodiscard]] Result<std::optional<DurationRange>> Range(std::string_view name) const;
};

// Keeps a value of the above in `target` when it was given.
template <typename Value, typename Target>
[[nodiscard]] Result<void> Store(Result<std::optional<Value>> value, Target& target) {
  if (!value.has_value()) {
    return std::unexpected(std::move(value).error());
  }
  if (value->has_value()) {
    const Value& given = **value;
    target = static_cast<Target>(given);
  }
  return {};
}

// Every kChoice value is one of its words. Errors: kUsage.
[[nodiscard]] Result<void> CheckChoices(const Arguments& arguments);

// Fills in, from the environment, what flags did not say; empty variables count as not set.
void ReadEnvironment(Arguments& arguments);

// `word` as a shell would need it: as it is, or in single quotes.
[[nodiscard]] std::string QuoteForShell(std::string_view word);

}  // namespace sluice
