#include "engine/verify_failures.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "engine/failure_classes.h"
#include "io/json/json_document.h"
#include "io/record/row_line.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kJobMember = ",\"job\":";
constexpr std::string_view kErrorMember = ",\"error\":";

// {"job":..,"error":{"class","code","message"}}, from the members behind those of the ids line.
std::optional<VerifiedFailure> ReadFailure(std::string_view members) {
  const size_t error = members.find(kErrorMember);
  if (!members.starts_with(kJobMember) || error == std::string_view::npos) {
    return std::nullopt;
  }
  const Json json = ParseJson("{" + std::string(members.substr(1)));
  if (!json.is_object() || json.size() != 2 || !json["job"].is_string() ||
      !json["error"].is_object()) {
    return std::nullopt;
  }
  const std::string_view text = members.substr(error + kErrorMember.size());
  const Json name = json["error"].value("class", Json());
  if (!name.is_string() || !ParseFailureClass(name.get<std::string>()).has_value()) {
    return std::nullopt;
  }
  return VerifiedFailure{.failure_class = name,
                         .error = std::string(text.substr(0, text.size() - 1))};
}

}  // namespace

VerifyFailures::VerifyFailures(FileSystem& files, const std::string& path, const std::string& name,
                               bool has_ids, Findings& findings)
    : lines_(CheckedLines::Open(files, path, name, findings)), has_ids_(has_ids) {
  ReadNext();
}

std::optional<VerifiedFailure> VerifyFailures::Take(Ordinal row, std::string_view ids_line) {
  if (row_ != row) {
    return std::nullopt;
  }
  const std::string_view front = has_ids_ ? ids_line.substr(0, ids_line.size() - 1)
                                          : std::string_view(line_).substr(0, line_.find(','));
  std::optional<VerifiedFailure> failure;
  if (std::string_view(line_).starts_with(front)) {
    failure = ReadFailure(std::string_view(line_).substr(front.size()));
  }
  if (!failure.has_value()) {
    lines_.Refuse(
        fmt::format("is {}, expected the failure of {}", Excerpt(line_), Excerpt(ids_line)));
  }
  ReadNext();
  return failure;
}

void VerifyFailures::ExpectEnd() {
  if (row_.has_value()) {
    lines_.Refuse(fmt::format("is of row {}, which is none", *row_));
    row_.reset();
  }
}

void VerifyFailures::ReadNext() {
  row_.reset();
  const auto line = lines_.NextIfAny();
  if (!line.has_value()) {
    return;
  }
  line_ = *line;
  row_ = RowOfLine(line_);
  if (!row_.has_value() || (before_.has_value() && *row_ <= *before_)) {
    lines_.Refuse(fmt::format("is not the failure of a later row: {}", Excerpt(line_)));
    row_.reset();
  }
  before_ = row_;
}

}  // namespace sluice
