// The two halves of the Gemini line protocol: what is asked, and what comes back.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/protocol/line_protocol.h"

namespace sluice {

// What stands in front of the key in a request line.
inline constexpr std::string_view kKeyPrefix = "{\"key\":\"";

// What differs between the kinds of requests (embed, generate, ready-made): everything behind
// "request":.
class GeminiRequestBody {
 public:
  virtual ~GeminiRequestBody() = default;
  [[nodiscard]] virtual std::vector<std::string> fields() const = 0;
  [[nodiscard]] virtual std::optional<size_t> text_field_index() const { return 0; }
  // As LineProtocol::AppendRequest, without the envelope.
  [[nodiscard]] virtual std::expected<uint64_t, std::string> Append(
      std::span<const std::string_view> tokens, std::string& out) const = 0;
};

// Where the settings of an embedding stand: as members of the request ("taskType",
// "outputDimensionality", "title"), or at Vertex AI in its "embed_content_config".
enum class EmbedSettings { kMembers, kConfig };

// Errors: kUsage, as for MakeLineProtocol().
[[nodiscard]] Result<std::unique_ptr<GeminiRequestBody>> MakeGeminiRequestBody(
    const RequestOptions& options, EmbedSettings settings = EmbedSettings::kMembers);

// {"key": K, "request": BODY} out; what comes back is read by MakeGeminiDecoder().
[[nodiscard]] Result<std::unique_ptr<LineProtocol>> MakeGeminiLinesOf(const RequestOptions& options,
                                                                      EmbedSettings settings);

[[nodiscard]] std::unique_ptr<ReplyDecoder> MakeGeminiDecoder(Task task);

// Why the token of `field` cannot be the text of a request: absent, no string, or empty.
[[nodiscard]] std::expected<void, std::string> CheckTextToken(std::string_view token,
                                                              std::string_view field);

// Tokens as they stand in a line: the bytes between the quotes of a string; absent when null, too.
[[nodiscard]] inline std::string_view Inside(std::string_view token) {
  return token.substr(1, token.size() - 2);
}
[[nodiscard]] inline bool IsAbsent(std::string_view token) {
  return token.empty() || token == "null";
}

// What the decoders of all Google answer lines share: the failure of a line that is none, the
// failure that an `error` or `status` tells of, and a counter, which comes as a number or as a
// string of digits.
[[nodiscard]] inline RowFailure Malformed(std::string message) {
  return {.failure_class = FailureClass::kMalformed, .message = std::move(message)};
}
[[nodiscard]] RowFailure RowFailureOf(std::string_view token);
[[nodiscard]] std::optional<int64_t> TokenCountOf(std::string_view token);
[[nodiscard]] FailureClass FailureClassOf(int code, std::string_view message);

// How many bytes the answer line to an embedding of so many numbers takes; 0: the service's usual.
[[nodiscard]] uint64_t ExpectedEmbeddingBytes(int dimension, uint64_t default_dimension);

}  // namespace sluice
