#include "tools/arguments.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>

#include "tools/words.h"

namespace sluice {
namespace {

// Calls `read` with the value of `name` and names the flag in the error.
template <typename Value, typename Read>
Result<std::optional<Value>> ReadValue(const Arguments& arguments, std::string_view name,
                                       const Read& read) {
  const std::optional<std::string> text = arguments.Text(name);
  if (!text) {
    return std::optional<Value>();
  }
  Result<Value> value = read(*text);
  if (!value.has_value()) {
    return Fail(value.error().code, fmt::format("{}: {}", name, value.error().message),
                value.error().hint);
  }
  return std::optional<Value>(std::move(value).value());
}

}  // namespace

bool Arguments::Has(std::string_view name) const { return values.contains(name); }

std::optional<std::string> Arguments::Text(std::string_view name) const {
  const auto found = values.find(name);
  if (found == values.end()) {
    return std::nullopt;
  }
  return found->second.back();
}

std::string Arguments::TextOr(std::string_view name, std::string_view fallback) const {
  return Text(name).value_or(std::string(fallback));
}

std::vector<std::string> Arguments::List(std::string_view name) const {
  const auto found = values.find(name);
  return found == values.end() ? std::vector<std::string>() : found->second;
}

Result<std::optional<uint64_t>> Arguments::Size(std::string_view name) const {
  return ReadValue<uint64_t>(*this, name, ParseSize);
}

Result<std::optional<int64_t>> Arguments::Integer(std::string_view name, int64_t least,
                                                  int64_t most) const {
  return ReadValue<int64_t>(*this, name, [least, most](std::string_view text) {
    return ParseInteger(text, least, most);
  });
}

Result<std::optional<std::chrono::milliseconds>> Arguments::Duration(std::string_view name) const {
  return ReadValue<std::chrono::milliseconds>(*this, name, ParseDuration);
}

Result<std::optional<DurationRange>> Arguments::Range(std::string_view name) const {
  return ReadValue<DurationRange>(*this, name, ParseDurationRange);
}

Result<void> CheckChoices(const Arguments& arguments) {
  for (const OptionSpec* option : AllOptions(arguments.command)) {
    const std::string_view name = OptionName(*option);
    if (option->kind != OptionKind::kChoice || !arguments.Has(name)) {
      continue;
    }
    const std::string value = arguments.TextOr(name, "");
    const std::vector<std::string_view> words = SplitText(option->metavar, '|');
    if (std::ranges::find(words, value) == words.end()) {
      return Fail(ErrorCode::kUsage,
                  fmt::format("{}: '{}' is none of {}", name, value, fmt::join(words, ", ")));
    }
  }
  return {};
}

void ReadEnvironment(Arguments& arguments) {
  for (const OptionSpec* option : AllOptions(arguments.command)) {
    const std::string name(OptionName(*option));
    if (option->environment.empty() || arguments.Has(name)) {
      continue;
    }
    const char* value = std::getenv(std::string(option->environment).c_str());
    if (value == nullptr || *value == '\0') {
      continue;
    }
    const bool off = option->kind == OptionKind::kFlag && std::string_view(value) == "0";
    if (!off) {
      arguments.values[name] = {value};
      arguments.from_environment.insert(name);
    }
  }
}

std::string QuoteForShell(std::string_view word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,+@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos) {
    return std::string(word);
  }
  std::string quoted = "'";
  for (const char byte : word) {
    if (byte == '\'') {
      quoted += "'\\''";
    } else {
      quoted += byte;
    }
  }
  return quoted + "'";
}

}  // namespace sluice
