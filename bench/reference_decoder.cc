#include "bench/reference_decoder.h"

#include <simdjson.h>

namespace sluice {
namespace {

class ReferenceDecoder final : public ReplyDecoder {
 public:
  Reply Decode(std::string_view line) override {
    static_assert(simdjson::SIMDJSON_PADDING <= 64);
    Reply reply;
    vector_.clear();
    try {
      auto document = parser_.iterate(line, line.size() + simdjson::SIMDJSON_PADDING);
      for (auto field : document.get_object()) {
        const std::string_view name = field.unescaped_key();
        if (name == "key") {
          reply.key = field.value().get_string();
          reply.ordinal = ParseKey(reply.key);
        } else if (name == "response") {
          for (auto value : field.value()["embedding"]["values"].get_array()) {
            vector_.push_back(static_cast<float>(value.get_double().value()));
          }
        }
      }
    } catch (const simdjson::simdjson_error& error) {
      vector_.clear();
      reply.failure = {.failure_class = FailureClass::kMalformed, .message = error.what()};
    }
    if (vector_.empty() && !reply.failure.has_value()) {
      reply.failure = {.failure_class = FailureClass::kInvalid, .message = "no embedding"};
    }
    reply.vector = vector_;
    return reply;
  }

 private:
  simdjson::ondemand::parser parser_;
  std::vector<float> vector_;
};

class ReferenceProtocol final : public LineProtocol {
 public:
  explicit ReferenceProtocol(const LineProtocol& protocol) : protocol_(protocol) {}

  std::span<const std::string> fields() const override { return protocol_.fields(); }
  std::optional<size_t> text_field_index() const override { return protocol_.text_field_index(); }
  size_t key_offset() const override { return protocol_.key_offset(); }
  std::expected<uint64_t, std::string> AppendRequest(std::span<const std::string_view> tokens,
                                                     std::string& out) const override {
    return protocol_.AppendRequest(tokens, out);
  }
  uint64_t expected_answer_bytes() const override { return protocol_.expected_answer_bytes(); }
  std::unique_ptr<ReplyDecoder> MakeDecoder() const override {
    return std::make_unique<ReferenceDecoder>();
  }

 private:
  const LineProtocol& protocol_;
};

}  // namespace

std::unique_ptr<LineProtocol> MakeReferenceProtocol(const LineProtocol& protocol) {
  return std::make_unique<ReferenceProtocol>(protocol);
}

}  // namespace sluice
