// The body of a multipart upload (RFC 2387): the file's metadata as JSON, then its bytes. A pure
// function.
#pragma once

#include <optional>
#include <string_view>

namespace sluice {

// Views into the body.
struct MultipartUpload {
  std::string_view metadata;
  std::string_view media_type;  // of the bytes; empty when not told
  std::string_view bytes;
};

// Nothing when the body is not made of exactly two parts. `content_type` is the header's value:
// multipart/related; boundary=...
[[nodiscard]] std::optional<MultipartUpload> ParseMultipart(std::string_view content_type,
                                                            std::string_view body);

}  // namespace sluice
