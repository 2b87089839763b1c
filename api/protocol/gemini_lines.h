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

// Errors: kUsage, as for MakeLineProtocol().
[[nodiscard]] Result<std::unique_ptr<GeminiRequestBody>> MakeGeminiRequestBody(
    const RequestOptions& options);

[[nodiscard]] std::unique_ptr<ReplyDecoder> MakeGeminiDecoder(Task task);

}  // namespace sluice
