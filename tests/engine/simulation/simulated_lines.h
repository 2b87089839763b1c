// SimulatedLines: what request files and answer files of a simulated run hold. As in real ones, one
// JSON object a line and the row as its key; nothing else is asked, and the answer to a row is that
// there is one, or a class of failure. Pure functions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/failure_classes.h"
#include "io/base/error.h"
#include "io/record/ordinal.h"

namespace sluice {

using SimulatedAnswers = std::map<Ordinal, std::optional<FailureClass>>;  // nothing: a value

[[nodiscard]] std::string FormatRequestLines(const std::vector<Ordinal>& rows);
// The rows that a file asks for; none when it is no request file.
[[nodiscard]] std::vector<Ordinal> ParseRequestLines(std::string_view text);

[[nodiscard]] std::string FormatAnswerLines(const SimulatedAnswers& answers);
// Errors: kBadAnswer for a line that is none, and for a row that is answered twice.
[[nodiscard]] Result<SimulatedAnswers> ParseAnswerLines(std::string_view text);

}  // namespace sluice
