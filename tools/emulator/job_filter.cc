#include "tools/emulator/job_filter.h"

#include <algorithm>
#include <fmt/format.h>

namespace sluice {

namespace {

constexpr std::string_view kLabels = "labels.";
constexpr std::string_view kAnd = " AND ";

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" ()");
  const size_t end = text.find_last_not_of(" ()");
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin, end - begin + 1);
}

std::string Unquoted(std::string_view text) {
  const bool quoted = text.size() >= 2 && text.front() == '"' && text.back() == '"';
  return std::string(quoted ? text.substr(1, text.size() - 2) : text);
}

// `pattern` may end with one '*'.
bool Matches(std::string_view text, std::string_view pattern) {
  return pattern.ends_with('*') ? text.starts_with(pattern.substr(0, pattern.size() - 1))
                                : text == pattern;
}

}  // namespace

std::expected<JobFilter, ApiError> JobFilter::Parse(std::string_view text) {
  JobFilter filter;
  while (!Trimmed(text).empty()) {
    const size_t end = std::min(text.find(kAnd), text.size());
    const std::string_view part = Trimmed(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + kAnd.size()));
    const size_t place = part.find_first_of("!=:");
    const bool is_not = place != std::string_view::npos && part.substr(place).starts_with("!=");
    Term term;
    if (place != std::string_view::npos) {
      term.field = Trimmed(part.substr(0, place));
      term.relation = is_not               ? Relation::kIsNot
                      : part[place] == ':' ? Relation::kMatches
                                           : Relation::kIs;
      term.value = Unquoted(Trimmed(part.substr(place + (is_not ? 2 : 1))));
    }
    term.field = term.field == "displayName" ? "display_name" : term.field;
    if (term.field != "display_name" && term.field != "state" && !term.field.starts_with(kLabels)) {
      return std::unexpected(InvalidArgument(fmt::format("Invalid filter: '{}'.", part)));
    }
    filter.terms_.push_back(std::move(term));
  }
  return filter;
}

bool JobFilter::Takes(const Job& job) const {
  return std::ranges::all_of(terms_, [&](const Term& term) { return Holds(term, job); });
}

bool JobFilter::Holds(const Term& term, const Job& job) {
  std::string value = job.display_name;
  if (term.field == "state") {
    value = fmt::format("JOB_STATE_{}", EmulatedStateName(job.state));
  } else if (term.field.starts_with(kLabels)) {
    const auto label = job.cloud.labels.find(term.field.substr(kLabels.size()));
    if (label == job.cloud.labels.end()) {
      return term.relation == Relation::kIsNot;
    }
    value = label->second;
  }
  switch (term.relation) {
    case Relation::kIs:
      return value == term.value;
    case Relation::kIsNot:
      return value != term.value;
    case Relation::kMatches:
      return Matches(value, term.value);
  }
  return false;
}

}  // namespace sluice
