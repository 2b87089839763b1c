#include "tools/emulator/prepared_answers.h"

#include <array>
#include <charconv>
#include <cmath>

#include "tools/emulator/lexical_embedding.h"
#include "tools/emulator/mix.h"

namespace sluice {
namespace {

constexpr size_t kArrays = 64;
constexpr size_t kDefaultDimensions = 768;

std::vector<float> UnitVector(size_t dimensions, uint64_t seed) {
  std::vector<float> vector(dimensions);
  double square = 0;
  for (size_t i = 0; i < dimensions; ++i) {
    const double value = ShareAt(seed, i) - 0.5;
    vector[i] = static_cast<float>(value);
    square += value * value;
  }
  for (float& value : vector) {
    value = static_cast<float>(static_cast<double>(value) / std::sqrt(square));
  }
  return vector;
}

// What is asked for; 0 when it cannot be served.
size_t DimensionsOf(std::string_view token) {
  if (token.empty()) {
    return kDefaultDimensions;
  }
  size_t dimensions = 0;
  const auto read = std::from_chars(token.data(), token.data() + token.size(), dimensions);
  const bool is_whole = read.ec == std::errc() && read.ptr == token.data() + token.size();
  return is_whole && dimensions <= kLexicalDimensionsMax ? dimensions : 0;
}

}  // namespace

bool PreparedAnswers::Append(std::string_view line, std::string& out) {
  line_.assign(line).append(RecordScanner::kPadding, '\0');
  const auto tokens = scanner_.Scan(std::string_view(line_).substr(0, line.size()));
  if (!tokens.has_value() || !(*tokens)[0].starts_with('"')) {
    return false;
  }
  const size_t dimensions = DimensionsOf((*tokens)[1]);
  if (dimensions == 0) {
    return false;
  }
  Prepare(dimensions);
  out.append("{\"response\":{\"embedding\":{\"values\":")
      .append(arrays_[HashText((*tokens)[0], 0) % kArrays])
      .append("},\"usageMetadata\":{\"promptTokenCount\":1}},\"key\":")
      .append((*tokens)[0])
      .append("}\n");
  return true;
}

void PreparedAnswers::Prepare(size_t dimensions) {
  if (dimensions == dimensions_) {
    return;
  }
  dimensions_ = dimensions;
  arrays_.assign(kArrays, "[");
  for (size_t i = 0; i < kArrays; ++i) {
    std::string& text = arrays_[i];
    for (const float value : UnitVector(dimensions, i)) {
      std::array<char, 32> digits;
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
      text.append(text.size() == 1 ? "" : ",").append(digits.data(), end.ptr);
    }
    text += ']';
  }
}

}  // namespace sluice
