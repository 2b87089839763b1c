// BenchInput: what a measurement works on. Everything but the corpus lies in one folder, which goes
// when the measurements are over. Immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "engine/pack.h"
#include "io/file/file_system.h"

namespace sluice {

struct BenchInput {
  FileSystem& files;
  std::string folder;
  std::string corpus;
  std::string text_field = "text";
  uint64_t rows = 0;  // of the answers
  int dimension = 0;
  size_t threads = 2;
  std::optional<int> zstd_level;
  ShardLimits limits;
  std::stop_token stop;

  // The request lines of the corpus, plain, in one file.
  [[nodiscard]] std::string requests() const { return folder + "/requests.jsonl"; }
  [[nodiscard]] std::string answers_folder() const { return folder + "/answers"; }
  [[nodiscard]] std::string answers() const { return answers_folder() + "/answers-0.jsonl"; }
  [[nodiscard]] std::string expected() const { return answers_folder() + "/expected.npy"; }
  // What a measurement writes; emptied behind each.
  [[nodiscard]] std::string scratch() const { return folder + "/scratch"; }
  [[nodiscard]] std::string decoded() const { return scratch() + "/decoded.npy"; }
};

}  // namespace sluice
