// The line protocol of the Gemini batch API: {"key": K, "request": R} goes out.
#include "api/protocol/gemini_lines.h"

#include "api/protocol/protocols.h"

namespace sluice {
namespace {

constexpr std::string_view kKeyRoom = "000000000000";
static_assert(kKeyRoom.size() == kKeyDigits);

class GeminiLines final : public LineProtocol {
 public:
  GeminiLines(const RequestOptions& options, std::unique_ptr<GeminiRequestBody> body)
      : task_(options.task),
        dimension_(options.dimension),
        body_(std::move(body)),
        fields_(body_->fields()) {}

  std::span<const std::string> fields() const override { return fields_; }
  std::optional<size_t> text_field_index() const override { return body_->text_field_index(); }
  size_t key_offset() const override { return kKeyPrefix.size(); }

  std::expected<uint64_t, std::string> AppendRequest(std::span<const std::string_view> tokens,
                                                     std::string& out) const override {
    const size_t begin = out.size();
    out.append(kKeyPrefix).append(kKeyRoom).append("\",\"request\":");
    auto bytes = body_->Append(tokens, out);
    if (!bytes.has_value()) {
      out.resize(begin);
      return bytes;
    }
    out.append("}\n");
    return bytes;
  }

  uint64_t expected_answer_bytes() const override {
    constexpr uint64_t kDefaultDimension = 3072;
    constexpr uint64_t kGenerationBytes = 4096;
    return task_ == Task::kGenerate ? kGenerationBytes
                                    : ExpectedEmbeddingBytes(dimension_, kDefaultDimension);
  }

  std::unique_ptr<ReplyDecoder> MakeDecoder() const override { return MakeGeminiDecoder(task_); }

 private:
  Task task_;
  int dimension_;
  std::unique_ptr<GeminiRequestBody> body_;
  std::vector<std::string> fields_;
};

}  // namespace

uint64_t ExpectedEmbeddingBytes(int dimension, uint64_t default_dimension) {
  constexpr uint64_t kEnvelopeBytes = 160;
  constexpr uint64_t kBytesPerFloat = 13;  // measured on float32 values of unit vectors
  return kEnvelopeBytes +
         kBytesPerFloat * (dimension > 0 ? static_cast<uint64_t>(dimension) : default_dimension);
}

Result<std::unique_ptr<LineProtocol>> MakeGeminiLinesOf(const RequestOptions& options,
                                                        EmbedSettings settings) {
  SLUICE_ASSIGN(auto body, MakeGeminiRequestBody(options, settings));
  return std::make_unique<GeminiLines>(options, std::move(body));
}

Result<std::unique_ptr<LineProtocol>> MakeGeminiLines(const RequestOptions& options) {
  return MakeGeminiLinesOf(options, EmbedSettings::kMembers);
}

}  // namespace sluice
