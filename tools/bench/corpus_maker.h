// A made-up corpus, for measuring: JSON lines with an id and a text of words that come about as
// often as in real text, so that it compresses about as well. The same options give the same bytes
// on every machine.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "io/base/error.h"

namespace sluice {

// What a document that is not plain English letters is written with.
enum class Script { kLatin, kCyrillic, kCjk, kEmoji };

struct CorpusMakerOptions {
  uint64_t documents = 100'000;
  std::optional<uint64_t> bytes = {};  // of the whole, at least; holds instead of `documents`
  uint64_t document_bytes = 1000;      // of a line, on average; lines have from 1/4 to 7/4 of it
  double escape_share = 0.04;          // of a text's bytes: those of escapes
  double non_ascii_share = 0.1;        // of the corpus' text: bytes that are not ASCII
  std::vector<Script> scripts = {Script::kLatin, Script::kCyrillic, Script::kCjk, Script::kEmoji};
  uint64_t seed = 1;
};

struct MadeCorpus {
  uint64_t documents = 0;
  uint64_t bytes = 0;
};

// Memory: the same for every size. Errors: those of `write`, which gets whole lines.
[[nodiscard]] Result<MadeCorpus> MakeCorpus(
    const CorpusMakerOptions& options,
    const std::function<Result<void>(std::string_view lines)>& write);

}  // namespace sluice
