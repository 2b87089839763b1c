// BenchConditions: what figures have to be read with. Immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "io/base/clock.h"
#include "tools/bench/machine.h"

namespace sluice {

struct BenchConditions {
  WallTime begin;
  Machine machine;
  size_t threads = 0;  // of the stages that work in several
  std::string compression;
  int dimension = 0;
  std::optional<std::string> corpus = {};  // nothing: made up
  // Nothing: no stage reads a corpus.
  std::optional<uint64_t> documents = {};
  std::optional<uint64_t> refused = {};
  std::optional<uint64_t> document_bytes = {};  // of a made-up corpus, as asked for
  std::optional<uint64_t> rows = {};            // of the answers; nothing: no stage decodes
  uint64_t seed = 0;                            // of what is made up
};

}  // namespace sluice
