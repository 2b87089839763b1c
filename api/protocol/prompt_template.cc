#include "api/protocol/prompt_template.h"

#include <algorithm>
#include <fmt/format.h>

#include "io/json/json_text.h"

namespace sluice {
namespace {

// The inside of the JSON string token for `text`.
std::string EscapedInside(std::string_view text) {
  std::string token;
  AppendJsonString(token, text);
  return token.substr(1, token.size() - 2);
}

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(' ');
  const size_t end = text.find_last_not_of(' ');
  return begin == std::string_view::npos ? std::string_view{} : text.substr(begin, end - begin + 1);
}

}  // namespace

Result<PromptTemplate> PromptTemplate::Parse(std::string_view text) {
  if (FindInvalidUtf8(text).has_value()) {
    return Fail(ErrorCode::kUsage, "the template is not valid UTF-8");
  }
  PromptTemplate result;
  while (true) {
    const size_t open = text.find("{{");
    if (open == std::string_view::npos) {
      break;
    }
    const size_t close = text.find("}}", open);
    if (close == std::string_view::npos) {
      return Fail(ErrorCode::kUsage, "the template opens '{{' without closing it",
                  "write {{field}}, with a field of the records between the braces");
    }
    const std::string name(Trimmed(text.substr(open + 2, close - open - 2)));
    if (name.empty()) {
      return Fail(ErrorCode::kUsage, "the template names no field between '{{' and '}}'");
    }
    const auto known = std::ranges::find(result.fields_, name);
    const auto field = static_cast<size_t>(known - result.fields_.begin());
    if (known == result.fields_.end()) {
      result.fields_.push_back(name);
    }
    result.pieces_.push_back({.literal = EscapedInside(text.substr(0, open)), .field = field});
    text.remove_prefix(close + 2);
  }
  result.pieces_.push_back({.literal = EscapedInside(text), .field = result.fields_.size()});
  return result;
}

std::expected<void, std::string> PromptTemplate::Append(std::span<const std::string_view> tokens,
                                                        std::string& out) const {
  for (size_t field = 0; field < fields_.size(); ++field) {
    if (tokens[field].empty() || tokens[field] == "null") {
      return std::unexpected(fmt::format("no field \"{}\" for the template", fields_[field]));
    }
  }
  out.push_back('"');
  for (const Piece& piece : pieces_) {
    out.append(piece.literal);
    if (piece.field == fields_.size()) {
      continue;
    }
    const std::string_view token = tokens[piece.field];
    if (token.front() == '"') {
      out.append(token.substr(1, token.size() - 2));
    } else {
      out.append(EscapedInside(token));
    }
  }
  out.push_back('"');
  return {};
}

}  // namespace sluice
