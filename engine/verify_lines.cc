#include "engine/verify_lines.h"

#include <algorithm>
#include <fmt/format.h>

#include "io/json/json_text.h"

namespace sluice {
namespace {

class EmptySource final : public ByteSource {
 public:
  Result<size_t> Read(std::span<std::byte>) override { return 0; }
};

}  // namespace

CheckedLines CheckedLines::Open(FileSystem& files, const std::string& path, std::string name,
                                Findings& findings) {
  auto file = files.Open(path, OpenMode::kRead);
  if (file.has_value()) {
    return {MakeFileSource(std::move(*file)), std::move(name), findings};
  }
  CheckedLines lines(std::make_unique<EmptySource>(), std::move(name), findings);
  lines.GiveUp(file.error().message);
  return lines;
}

std::optional<std::string_view> CheckedLines::Next(std::string_view expected) {
  if (given_up_) {
    return std::nullopt;
  }
  const auto line = lines_.Next();
  if (!line.has_value()) {
    GiveUp(line.error().message);
    return std::nullopt;
  }
  ++line_count_;
  if (!line->has_value()) {
    GiveUp(fmt::format("{}, expected {}", lines_.torn() ? "the last line has no end" : "ends here",
                       Excerpt(expected)));
  }
  return *line;
}

std::optional<std::string_view> CheckedLines::NextIfAny() {
  if (given_up_) {
    return std::nullopt;
  }
  const auto line = lines_.Next();
  ++line_count_;
  if (!line.has_value()) {
    GiveUp(line.error().message);
    return std::nullopt;
  }
  if (!line->has_value() && lines_.torn()) {
    GiveUp("the last line has no end");
  }
  return *line;
}

void CheckedLines::Expect(std::string_view expected) {
  const std::optional<std::string_view> line = Next(expected);
  if (line.has_value() && *line != expected) {
    const size_t same =
        static_cast<size_t>(std::ranges::mismatch(*line, expected).in1 - line->begin());
    constexpr size_t kBefore = 20;
    const size_t begin = same > kBefore ? same - kBefore : 0;
    Refuse(fmt::format("differs from byte {} on: {}, expected {}", same + 1,
                       Excerpt(line->substr(begin)), Excerpt(expected.substr(begin))));
  }
}

void CheckedLines::Refuse(std::string_view what) { GiveUp(std::string(what)); }

void CheckedLines::ExpectEnd() {
  if (given_up_) {
    return;
  }
  const auto line = lines_.Next();
  ++line_count_;
  if (!line.has_value()) {
    GiveUp(line.error().message);
  } else if (line->has_value()) {
    GiveUp("a line too many: " + Excerpt(**line));
  } else if (lines_.torn()) {
    GiveUp("bytes behind the last line");
  }
}

void CheckedLines::GiveUp(std::string what) {
  given_up_ = true;
  findings_.AddProblem(line_count_ == 0 ? name_ : fmt::format("{}:{}", name_, line_count_),
                       std::move(what));
}

std::string Excerpt(std::string_view text) {
  constexpr size_t kBytesMax = 120;
  std::string shown(text.substr(0, kBytesMax));
  while (const auto fault = FindInvalidUtf8(shown)) {
    shown.replace(*fault, 1, "?");
  }
  return JsonString(shown) + (text.size() > kBytesMax ? "..." : "");
}

}  // namespace sluice
