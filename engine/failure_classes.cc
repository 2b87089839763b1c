#include "engine/failure_classes.h"

#include <algorithm>

namespace sluice {
namespace {

constexpr int kClassCount = static_cast<int>(FailureClass::kCancelled) + 1;

uint32_t BitOf(FailureClass failure_class) { return 1U << static_cast<int>(failure_class); }

}  // namespace

FailureClasses::FailureClasses(std::initializer_list<FailureClass> classes) {
  for (const FailureClass failure_class : classes) {
    Add(failure_class);
  }
}

FailureClasses FailureClasses::Retryable() {
  return {FailureClass::kTransient, FailureClass::kQuota, FailureClass::kMissing};
}

FailureClasses FailureClasses::All() {
  FailureClasses all;
  all.bits_ = (1U << kClassCount) - 1;
  return all;
}

std::optional<FailureClasses> FailureClasses::Parse(std::string_view text) {
  FailureClasses classes;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const auto parsed = ParseFailureClass(text.substr(0, comma));
    if (!parsed.has_value()) {
      return std::nullopt;
    }
    classes.Add(*parsed);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return classes;
}

void FailureClasses::Add(FailureClass failure_class) { bits_ |= BitOf(failure_class); }

bool FailureClasses::contains(FailureClass failure_class) const {
  return (bits_ & BitOf(failure_class)) != 0;
}

std::string FailureClasses::text() const {
  std::string text;
  for (int i = 0; i < kClassCount; ++i) {
    const auto failure_class = static_cast<FailureClass>(i);
    if (contains(failure_class)) {
      text.append(text.empty() ? "" : ",").append(FailureClassName(failure_class));
    }
  }
  return text;
}

std::optional<FailureClass> ParseFailureClass(std::string_view name) {
  for (int i = 0; i < kClassCount; ++i) {
    if (FailureClassName(static_cast<FailureClass>(i)) == name) {
      return static_cast<FailureClass>(i);
    }
  }
  return std::nullopt;
}

}  // namespace sluice
