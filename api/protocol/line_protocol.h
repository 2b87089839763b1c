// LineProtocol: the request and answer lines of one batch API. Pure: no network, no files.
//
// One file in api/protocol and one line in its registry per API. Immutable and thread-safe after
// it was made; a ReplyDecoder is scratch and belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "io/base/error.h"
#include "io/record/ordinal.h"

namespace sluice {

enum class Task { kEmbed, kGenerate };

// What a run asks of each document.
struct RequestOptions {
  Task task = Task::kEmbed;
  std::string model;
  int dimension = 0;      // 0: the service's own
  std::string task_type;  // "RETRIEVAL_DOCUMENT"; empty: not sent
  std::string text_field = "text";
  std::string title_field;    // empty: none
  std::string request_field;  // the record holds a ready-made request here; "" : none
  // A prompt with {{field}} in it, for generation; empty: the text field is the prompt.
  std::string prompt_template;
  std::string generation_config;   // a JSON object as text, or empty
  std::string system_instruction;  // plain text, or empty
};

// Tokens as the service counted them; absent is not zero.
struct Usage {
  std::optional<int64_t> prompt_tokens;
  std::optional<int64_t> output_tokens;
};

// Why a request of ours failed, and whether asking again may help.
enum class FailureClass {
  kTransient,
  kQuota,
  kTooLong,
  kBlocked,
  kInvalid,
  kMissing,
  kMalformed,
  kCancelled,
};
[[nodiscard]] std::string_view FailureClassName(FailureClass failure_class);
struct RowFailure {
  FailureClass failure_class = FailureClass::kInvalid;
  int code = 0;  // as the service said it; 0 when it did not
  // As long as the service made it; a run keeps a part (row_status.h) once secrets are out of it.
  std::string message;
};

// One answer line. Views live until the next Decode() and as long as the line.
struct Reply {
  std::string_view key;                   // as sent back, without quotes; empty when absent
  std::optional<Ordinal> ordinal;         // the key, when it is one of ours
  std::optional<uint64_t> text_checksum;  // without a key: LineProtocol::TextChecksum()
  std::span<const float> vector;          // an embedding, all finite; empty for generation
  std::string_view answer;  // generation: a JSON object {"text":..,"finish_reason":..,...}
  std::optional<RowFailure> failure;
  Usage usage;
  // In the vector: numbers that were not of the common form (io/json/float_array.h).
  uint64_t general_values = 0;
  bool is_shortened = false;  // the vector came longer than was asked for, and was cut
  bool is_truncated = false;  // the service embedded the beginning of the text only
};

class ReplyDecoder {
 public:
  virtual ~ReplyDecoder() = default;
  // `line` without its LF and with Block::kPadding readable bytes behind it. A line that cannot be
  // understood is a Reply with a failure of class kMalformed (and the key, when it can be told).
  [[nodiscard]] virtual Reply Decode(std::string_view line) = 0;
};

class LineProtocol {
 public:
  virtual ~LineProtocol() = default;
  // The fields that a record must be scanned for; AppendRequest takes their tokens in this order.
  [[nodiscard]] virtual std::span<const std::string> fields() const = 0;
  // The field that stands for the whole of a plain text document, as an index into fields();
  // nothing when text documents cannot be asked (ready-made requests).
  [[nodiscard]] virtual std::optional<size_t> text_field_index() const = 0;
  // Where in every request line the kKeyDigits characters of the key stand.
  [[nodiscard]] virtual size_t key_offset() const = 0;
  // Appends one request line with its LF and room for the key. Gives the bytes of text that will be
  // counted as tokens, or why the record cannot be asked; then `out` is as it was.
  [[nodiscard]] virtual std::expected<uint64_t, std::string> AppendRequest(
      std::span<const std::string_view> tokens, std::string& out) const = 0;
  // A checksum of the text of a request line, which an answer without a key can be matched by;
  // nothing where answers do not send the text back.
  [[nodiscard]] virtual std::optional<uint64_t> TextChecksum(
      [[maybe_unused]] std::string_view request_line) const {
    return std::nullopt;
  }
  // How many bytes the answer line of one request will take, roughly: for cutting shards.
  [[nodiscard]] virtual uint64_t expected_answer_bytes() const = 0;
  [[nodiscard]] virtual std::unique_ptr<ReplyDecoder> MakeDecoder() const = 0;
};

// `name` as for MakeProvider. Errors: kUsage (bad template, bad generation config, unknown name).
[[nodiscard]] Result<std::unique_ptr<LineProtocol>> MakeLineProtocol(std::string_view name,
                                                                     const RequestOptions& options);

}  // namespace sluice
