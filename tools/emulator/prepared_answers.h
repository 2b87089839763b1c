// PreparedAnswers: embeddings that were made before they are asked for. They say nothing about the
// text, but cost the service next to nothing, so that what is measured is the client. One thread at
// a time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "io/json/record_scanner.h"

namespace sluice {

class PreparedAnswers {
 public:
  PreparedAnswers() : scanner_({"key", "request.outputDimensionality"}) {}

  // Appends the result line, with its LF, for a line {"key":..,"request":{..}}. False, and nothing
  // appended, for a line that is not of this form.
  bool Append(std::string_view line, std::string& out);

 private:
  void Prepare(size_t dimensions);

  RecordScanner scanner_;
  std::string line_;  // with padding
  size_t dimensions_ = 0;
  std::vector<std::string> arrays_;
};

}  // namespace sluice
