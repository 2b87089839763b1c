// One line of a result file, read by the product and by a slow reference: the same key, the same
// numbers, or a failure in both. A line of any bytes costs itself and nothing else.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "api/protocol/line_protocol.h"
#include "io/corpus/corpus.h"
#include "io/json/json_text.h"
#include "io/json/record_scanner.h"
#include "tests/support/json_reference.h"

namespace {

using Json = nlohmann::json;

void Expect(bool holds) {
  if (!holds) {
    std::abort();
  }
}

size_t CountNames(const Json& value) {
  size_t names = value.is_object() ? value.size() : 0;
  for (const Json& element : value) {
    names += element.is_structured() ? CountNames(element) : 0;
  }
  return names;
}

// Nothing when the slow parser says less than the line: members twice, numbers out of range, halves
// of surrogate pairs.
std::optional<Json> Parse(std::string_view line) {
  size_t names = 0;
  Json json = Json::parse(
      line,
      [&](int, Json::parse_event_t event, Json&) {
        names += event == Json::parse_event_t::key ? 1 : 0;
        return true;
      },
      false);
  return json.is_object() && CountNames(json) == names ? std::optional(std::move(json))
                                                       : std::nullopt;
}

const Json* Member(const Json* value, const char* name) {
  if (value == nullptr || !value->is_object()) {
    return nullptr;
  }
  const auto found = value->find(name);
  return found == value->end() || found->is_null() ? nullptr : &*found;
}

std::optional<sluice::Ordinal> KeyOf(const Json& line) {
  const Json* key = Member(&line, "key");
  key = key != nullptr ? key : Member(Member(&line, "metadata"), "key");
  return key != nullptr && key->is_string() ? sluice::ParseKey(key->get<std::string>())
                                            : std::nullopt;
}

bool IsFailure(const Json* value) {
  return value != nullptr && *value != Json("") && *value != Json::object();
}

// The embedding of a line that has one and no error.
std::optional<std::vector<double>> VectorOf(const Json& line) {
  const Json* const response = Member(&line, "response");
  const bool failed = IsFailure(Member(&line, "error")) || IsFailure(Member(&line, "status"));
  const Json* const values = Member(Member(response, "embedding"), "values");
  if (failed || values == nullptr || !values->is_array() || values->empty()) {
    return std::nullopt;
  }
  std::vector<double> vector;
  for (const Json& value : *values) {
    if (!value.is_number()) {
      return std::nullopt;
    }
    vector.push_back(value.get<double>());
    // Next to the largest float, where rounding decides.
    if (std::abs(vector.back()) > std::numeric_limits<float>::max()) {
      return std::nullopt;
    }
  }
  return vector;
}

bool MayBeInfinite(const Json& line) {
  const Json* const values = Member(Member(Member(&line, "response"), "embedding"), "values");
  constexpr double kRoundsDown = 3.4028234e38;
  return values != nullptr && values->is_array() &&
         std::ranges::any_of(*values, [](const Json& value) {
           return value.is_number() && std::abs(value.get<double>()) > kRoundsDown;
         });
}

void ExpectVector(const sluice::Reply& reply, const std::vector<double>& wanted) {
  Expect(!reply.failure.has_value() && reply.vector.size() == wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    // How each number is rounded is told by io/json/float_array_test.cc.
    constexpr double kNear = 1e-7;
    Expect(std::isfinite(reply.vector[i]));
    Expect(std::abs(reply.vector[i] - wanted[i]) <= kNear * std::abs(wanted[i]) + 1e-44);
  }
}

void CheckEmbedding(const sluice::Reply& reply, std::string_view line, bool is_accepted) {
  Expect(reply.failure.has_value() == reply.vector.empty());
  if (!is_accepted) {
    Expect(reply.failure.has_value() && !reply.ordinal.has_value());
    return;
  }
  const auto json = Parse(line);
  if (!json.has_value() || MayBeInfinite(*json)) {
    return;
  }
  Expect(reply.ordinal == KeyOf(*json));
  const auto vector = VectorOf(*json);
  vector.has_value() ? ExpectVector(reply, *vector) : Expect(reply.failure.has_value());
}

void CheckGeneration(const sluice::Reply& reply, bool is_accepted) {
  Expect(reply.failure.has_value() == reply.answer.empty());
  Expect(is_accepted || reply.failure.has_value());
  Expect(reply.answer.empty() ||
         sluice::JsonReference::Accepts(reply.answer, sluice::RecordScanner::kDepthMax));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto decoder_of = [](sluice::Task task, const char* protocol, const char* model) {
    sluice::RequestOptions options;
    options.task = task;
    options.model = model;
    return sluice::MakeLineProtocol(protocol, options).value()->MakeDecoder();
  };
  static const auto embeddings = decoder_of(sluice::Task::kEmbed, "gemini", "m");
  static const auto generations = decoder_of(sluice::Task::kGenerate, "gemini", "m");
  static const auto instances = decoder_of(sluice::Task::kEmbed, "vertex", "text-embedding-005");
  std::string buffer(reinterpret_cast<const char*>(data), size);
  std::ranges::replace(buffer, '\n', ' ');
  buffer.append(sluice::Block::kPadding, '"');
  const std::string_view line = std::string_view(buffer).substr(0, size);
  const bool is_accepted = sluice::JsonReference::Accepts(line, sluice::RecordScanner::kDepthMax);
  CheckEmbedding(embeddings->Decode(line), line, is_accepted);
  CheckGeneration(generations->Decode(line), is_accepted);
  const sluice::Reply instance = instances->Decode(line);
  Expect(instance.failure.has_value() == instance.vector.empty());
  Expect(is_accepted || instance.failure.has_value());
  return 0;
}
