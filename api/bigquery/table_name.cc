#include "api/bigquery/table_name.h"

#include <algorithm>
#include <fmt/format.h>

#include "api/http/google_error.h"

namespace sluice {
namespace {

constexpr std::string_view kScheme = "bq://";
constexpr size_t kNameBytesMax = 1024;

bool IsMadeOf(std::string_view text, std::string_view also) {
  return !text.empty() && text.size() <= kNameBytesMax && std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           also.find(c) != std::string_view::npos;
  });
}

// A project of a domain has dots of its own: "example.com:project".
bool IsTableProject(std::string_view text) {
  const size_t colon = text.find(':');
  const std::string_view domain = colon == std::string_view::npos ? "a" : text.substr(0, colon);
  return IsMadeOf(domain, "-.") && domain.front() != '.' &&
         IsMadeOf(text.substr(colon + 1), "-");  // npos + 1 is 0
}

// Takes the last part off `text`, which ends before its dot.
std::string_view TakeLast(std::string_view& text) {
  const size_t dot = text.rfind('.');
  const std::string_view last = text.substr(dot + 1);  // npos + 1 is 0
  text = dot == std::string_view::npos ? std::string_view() : text.substr(0, dot);
  return last;
}

}  // namespace

bool IsTableUri(std::string_view text) { return text.starts_with(kScheme); }

bool IsDatasetName(std::string_view dataset) { return IsMadeOf(dataset, "_"); }

Result<TableName> ParseTableUri(std::string_view uri) {
  std::string_view rest = IsTableUri(uri) ? uri.substr(kScheme.size()) : std::string_view();
  TableName name;
  name.table = TakeLast(rest);
  name.dataset = TakeLast(rest);
  name.project = rest;
  if (!IsTableProject(name.project) || !IsDatasetName(name.dataset) ||
      !IsMadeOf(name.table, "_-")) {
    return Fail(ErrorCode::kUsage,
                fmt::format("'{}' is not a table like bq://project.dataset.table",
                            PrintableText(uri, 200)));
  }
  return name;
}

Result<void> CheckTableDestination(std::string_view uri) {
  std::string_view rest = IsTableUri(uri) ? uri.substr(kScheme.size()) : std::string_view();
  if (IsTableProject(rest) || ParseTableUri(uri).has_value()) {
    return {};
  }
  const std::string_view dataset = TakeLast(rest);
  if (IsTableProject(rest) && IsDatasetName(dataset)) {
    return {};
  }
  return Fail(ErrorCode::kUsage, fmt::format("'{}' is not a place like bq://project.dataset or "
                                             "bq://project.dataset.table",
                                             PrintableText(uri, 200)));
}

std::string FormatTableUri(const TableName& name) {
  return fmt::format("{}{}.{}.{}", kScheme, name.project, name.dataset, name.table);
}

}  // namespace sluice
