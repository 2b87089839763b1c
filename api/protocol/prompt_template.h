// PromptTemplate: text with {{field}} in it, filled with the fields of a record. Works on JSON text
// throughout: a string field is copied into the prompt as it stands, escapes and all. Immutable,
// thread-safe.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/error.h"

namespace sluice {

class PromptTemplate {
 public:
  // Errors: kUsage for "{{" without "}}", an empty name, or text that is not UTF-8.
  [[nodiscard]] static Result<PromptTemplate> Parse(std::string_view text);

  // The fields named, each once, in order of first use.
  [[nodiscard]] const std::vector<std::string>& fields() const { return fields_; }

  // Appends the prompt as a JSON string token. `tokens` are those of fields(), as a RecordScanner
  // gives them. Numbers, objects and so on go in as their JSON text. Gives why it cannot be filled.
  [[nodiscard]] std::expected<void, std::string> Append(std::span<const std::string_view> tokens,
                                                        std::string& out) const;

 private:
  struct Piece {
    std::string literal;  // inside of a JSON string
    size_t field = 0;     // stands behind the literal; fields_.size() for none
  };

  std::vector<Piece> pieces_;
  std::vector<std::string> fields_;
};

}  // namespace sluice
