#include "io/json/float_array.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <system_error>

namespace sluice {
namespace {

bool IsBlank(char character) {
  return character == ' ' || character == '\t' || character == '\n' || character == '\r';
}

// std::from_chars refuses what is too small for a float as well as what is too large; only the
// second is a fault, the first is the nearest subnormal or zero.
float ParseOutOfRange(std::string_view number) {
  return std::strtof(std::string(number).c_str(), nullptr);
}

}  // namespace

std::optional<std::string> ParseFloatArray(std::string_view json, std::vector<float>& out) {
  out.clear();
  if (json.empty() || json.front() != '[') {
    return "values are not an array";
  }
  const char* place = json.data() + 1;
  const char* const end = json.data() + json.size();
  while (place < end) {
    while (place < end && (IsBlank(*place) || *place == ',')) {
      ++place;
    }
    if (place == end || *place == ']') {
      return std::nullopt;
    }
    float value = 0;
    const auto [next, error] = std::from_chars(place, end, value);
    if (error == std::errc::result_out_of_range) {
      value = ParseOutOfRange({place, static_cast<size_t>(next - place)});
    } else if (error != std::errc{}) {
      return "values hold something that is not a number";
    }
    if (!std::isfinite(value)) {
      return "values hold a number that is not finite";
    }
    out.push_back(value);
    place = next;
  }
  return "values do not end";
}

}  // namespace sluice
