#include "tests/engine/simulation/simulated_lines.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/http/decimal.h"
#include "api/http/json_fields.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

// Takes the first line off `text`.
std::string_view TakeLine(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

std::optional<Ordinal> RowOf(const Json& line) {
  return ParseDecimal<Ordinal>(TextMember(line, "key"));
}

}  // namespace

std::string FormatRequestLines(const std::vector<Ordinal>& rows) {
  std::string text;
  for (const Ordinal row : rows) {
    text += fmt::format("{{\"key\":\"{}\",\"request\":{{}}}}\n", row);
  }
  return text;
}

std::vector<Ordinal> ParseRequestLines(std::string_view text) {
  std::vector<Ordinal> rows;
  while (!text.empty()) {
    const auto row = RowOf(ParseJson(TakeLine(text)));
    if (!row.has_value()) {
      return {};
    }
    rows.push_back(*row);
  }
  return rows;
}

std::string FormatAnswerLines(const SimulatedAnswers& answers) {
  std::string text;
  for (const auto& [row, failure] : answers) {
    text += failure.has_value() ? fmt::format("{{\"key\":\"{}\",\"failure\":{}}}\n", row,
                                              static_cast<int>(*failure))
                                : fmt::format("{{\"key\":\"{}\"}}\n", row);
  }
  return text;
}

Result<SimulatedAnswers> ParseAnswerLines(std::string_view text) {
  SimulatedAnswers answers;
  while (!text.empty()) {
    const Json line = ParseJson(TakeLine(text));
    const auto row = RowOf(line);
    if (!row.has_value() || answers.contains(*row)) {
      return Fail(ErrorCode::kBadAnswer, "simulated: what came is no file of answers");
    }
    const auto failure = IntegerMember(line, "failure");
    answers[*row] = failure ? std::optional(static_cast<FailureClass>(*failure)) : std::nullopt;
  }
  return answers;
}

}  // namespace sluice
