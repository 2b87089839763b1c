#include "tools/emulator/multipart.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace sluice {

namespace {

constexpr std::string_view kLineEnd = "\r\n";

struct Part {
  std::string_view headers;
  std::string_view body;
};

bool StartsWithWord(std::string_view text, std::string_view word) {
  return std::ranges::equal(text.substr(0, word.size()), word, [](unsigned char a, char b) {
    return std::tolower(a) == static_cast<unsigned char>(b);
  });
}

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  const size_t last = text.find_last_not_of(" \t");
  return first == std::string_view::npos ? "" : text.substr(first, last - first + 1);
}

// The line that stands before every part: "--" and the boundary.
std::optional<std::string> Delimiter(std::string_view content_type) {
  constexpr std::string_view kName = "boundary=";
  const size_t at = content_type.find(kName);
  if (!StartsWithWord(content_type, "multipart/related") || at == std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view value = content_type.substr(at + kName.size());
  value = value.starts_with('"') ? value.substr(1, value.find('"', 1) - 1)
                                 : Trim(value.substr(0, value.find(';')));
  return value.empty() ? std::nullopt : std::optional("--" + std::string(value));
}

// Takes the part that begins where `body` begins, and the delimiter after it.
std::optional<Part> TakePart(std::string_view& body, const std::string& delimiter) {
  const size_t end = body.find(std::string(kLineEnd) + delimiter);
  // Without headers a part begins with the empty line.
  const size_t blank = body.starts_with(kLineEnd) ? 0 : body.find("\r\n\r\n");
  if (end == std::string_view::npos || blank == std::string_view::npos || blank >= end) {
    return std::nullopt;
  }
  const size_t begin = blank + (blank == 0 ? kLineEnd.size() : 2 * kLineEnd.size());
  const Part part{.headers = body.substr(0, blank),
                  .body = begin <= end ? body.substr(begin, end - begin) : ""};
  body.remove_prefix(end + kLineEnd.size() + delimiter.size());
  return part;
}

std::string_view MediaType(std::string_view headers) {
  constexpr std::string_view kName = "content-type:";
  while (!headers.empty()) {
    const std::string_view line = headers.substr(0, headers.find(kLineEnd));
    if (StartsWithWord(line, kName)) {
      return Trim(line.substr(kName.size()));
    }
    headers.remove_prefix(std::min(headers.size(), line.size() + kLineEnd.size()));
  }
  return "";
}

}  // namespace

std::optional<MultipartUpload> ParseMultipart(std::string_view content_type,
                                              std::string_view body) {
  const auto delimiter = Delimiter(content_type);
  if (!delimiter.has_value() || !body.starts_with(*delimiter + std::string(kLineEnd))) {
    return std::nullopt;
  }
  body.remove_prefix(delimiter->size() + kLineEnd.size());
  const auto metadata = TakePart(body, *delimiter);
  if (!metadata.has_value() || !body.starts_with(kLineEnd)) {
    return std::nullopt;
  }
  body.remove_prefix(kLineEnd.size());
  const auto media = TakePart(body, *delimiter);
  if (!media.has_value() || !body.starts_with("--")) {
    return std::nullopt;
  }
  return MultipartUpload{
      .metadata = metadata->body, .media_type = MediaType(media->headers), .bytes = media->body};
}

}  // namespace sluice
