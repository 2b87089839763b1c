// VectorText: a vector as a row of lines holds it, byte for byte: {"embedding":[...]}, each number
// in the shortest form that reads back to the same float32. Pure.
#pragma once

#include <span>
#include <string>

namespace sluice {

[[nodiscard]] std::string VectorText(std::span<const float> vector);

}  // namespace sluice
