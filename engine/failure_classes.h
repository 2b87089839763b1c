// FailureClasses: a set of failure classes, as text the names joined by commas ("quota,transient").
// Plain data.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "api/protocol/line_protocol.h"

namespace sluice {

class FailureClasses {
 public:
  FailureClasses() = default;
  FailureClasses(std::initializer_list<FailureClass> classes);

  // What a run asks again by itself: an equal request may well succeed, and nobody refused it.
  [[nodiscard]] static FailureClasses Retryable();
  // All of them.
  [[nodiscard]] static FailureClasses All();
  // Nothing for a text with an unknown name in it. The empty text is the empty set.
  [[nodiscard]] static std::optional<FailureClasses> Parse(std::string_view text);

  void Add(FailureClass failure_class);
  [[nodiscard]] bool contains(FailureClass failure_class) const;
  [[nodiscard]] bool empty() const { return bits_ == 0; }
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool operator==(const FailureClasses&) const = default;

 private:
  uint32_t bits_ = 0;
};

// The class that FailureClassName() gives this name; nothing for another name.
[[nodiscard]] std::optional<FailureClass> ParseFailureClass(std::string_view name);

}  // namespace sluice
