// Answers to single requests, in the JSON of the Gemini Developer API: an embedding of the
// request's texts, or the echo of its prompt. The same code answers a synchronous call, an inlined
// request and a line of a file. Pure functions, thread-safe.
//
//   tokens     a quarter of the text's bytes, rounded up, at least 1
//   embedding  EmbedLexically() of the title and the text parts, joined by line ends
//   echo       "echo: " and the text parts of the last content, joined by line ends
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "tools/emulator/google_error.h"
#include "tools/emulator/models.h"

namespace sluice {

using ApiAnswer = std::expected<std::string, ApiError>;  // compact JSON text

// The answers of :embedContent, :batchEmbedContents, :generateContent and :countTokens.
[[nodiscard]] ApiAnswer AnswerEmbed(const Model& model, std::string_view body);
[[nodiscard]] ApiAnswer AnswerBatchEmbed(const Model& model, std::string_view body);
[[nodiscard]] ApiAnswer AnswerGenerate(const Model& model, std::string_view body);
[[nodiscard]] ApiAnswer AnswerCountTokens(const Model& model, std::string_view body);

// About how many tokens so many bytes of text are.
[[nodiscard]] constexpr uint64_t TokensIn(uint64_t bytes) {
  constexpr uint64_t kTokenBytes = 4;
  return bytes < kTokenBytes ? 1 : (bytes + kTokenBytes - 1) / kTokenBytes;
}

// The refusal of a request that has a field which nobody knows.
[[nodiscard]] std::expected<void, ApiError> CheckRequestFields(const Model& model,
                                                               std::string_view request);

// How a job's result line departs from an honest one.
struct LineTwist {
  bool no_key = false;
  int error_code = 0;              // in place of the answer
  std::string error_message = {};  // absent when empty
};

// Appends the result line, with its LF, for one line of input: an object with `request` and `key`
// or `metadata`, or the bare request. A line that cannot be answered becomes an error line. True
// when the line holds a response.
bool AppendResultLine(const Model& model, std::string_view line, const LineTwist& twist,
                      std::string& out);

}  // namespace sluice
