// Made-up answers of an embedding service, for measuring: lines in the service's form, in shuffled
// order over several files, and beside them the array that a right decoder makes of them. The same
// options give the same bytes on every machine.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "io/base/error.h"
#include "io/file/file_system.h"

namespace sluice {

struct AnswerMakerOptions {
  // Empty; "answers-0.jsonl", ... and "expected.npy" are written into it.
  std::string folder = {};
  uint64_t rows = 100'000;
  int dimension = 768;
  uint32_t files = 8;
  uint64_t seed = 1;
  bool usage_metadata = false;  // members behind the array, as real answers have
  bool spaced = false;          // a blank behind every comma and colon
  double failed_share = 0;      // rows answered by an error; NaN in the expected array
  std::stop_token stop = {};
};

// All of the files or, with an Error, none. Memory: a few bytes a row. Errors: kIo, kUnfinished.
[[nodiscard]] Result<void> MakeAnswers(FileSystem& files, const AnswerMakerOptions& options);

}  // namespace sluice
