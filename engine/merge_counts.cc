#include "engine/merge_counts.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

// Throws for what is no count at all.
uint64_t Count(const Json& json) { return json.get_ref<const Json::number_unsigned_t&>(); }

std::optional<uint64_t> OptionalCount(const Json& json, const char* name) {
  return json.contains(name) ? std::optional(Count(json.at(name))) : std::nullopt;
}

std::map<std::string, uint64_t> CountsByClass(const Json& json) {
  std::map<std::string, uint64_t> counts;
  for (const auto& [name, count] : json.items()) {
    counts[name] = Count(count);
  }
  return counts;
}

MergeCounts CountsFromJson(const Json& json) {
  return {.ok = Count(json.at("ok")),
          .failed = Count(json.at("failed")),
          .failed_by_class = CountsByClass(json.at("failed_by_class")),
          .duplicates = Count(json.at("duplicates")),
          .conflicts = Count(json.at("conflicts")),
          .strangers = Count(json.at("strangers")),
          .malformed_lines = Count(json.at("malformed_lines")),
          .prompt_tokens = OptionalCount(json, "prompt_tokens"),
          .output_tokens = OptionalCount(json, "output_tokens"),
          .answer_bytes = Count(json.at("answer_bytes")),
          .answers_kept = OptionalCount(json, "answers_kept").value_or(0),
          .values = OptionalCount(json, "values").value_or(0),
          .general_values = OptionalCount(json, "general_values").value_or(0),
          .shortened = OptionalCount(json, "shortened").value_or(0),
          .truncated = OptionalCount(json, "truncated").value_or(0),
          .first_conflict = OptionalCount(json, "first_conflict"),
          .digest = OptionalCount(json, "digest")};
}

// What came, whatever is added: rounds of a shard or shards of a run.
void AddAnswers(MergeCounts& sum, const MergeCounts& part) {
  sum.ok += part.ok;
  sum.duplicates += part.duplicates;
  sum.conflicts += part.conflicts;
  sum.strangers += part.strangers;
  sum.malformed_lines += part.malformed_lines;
  AddTokens(sum.prompt_tokens, part.prompt_tokens);
  AddTokens(sum.output_tokens, part.output_tokens);
  sum.answer_bytes += part.answer_bytes;
  sum.answers_kept += part.answers_kept;
  sum.values += part.values;
  sum.general_values += part.general_values;
  sum.shortened += part.shortened;
  sum.truncated += part.truncated;
  KeepFirst(sum.first_conflict, part.first_conflict);
}

}  // namespace

void AddTokens(std::optional<int64_t>& sum, const std::optional<int64_t>& tokens) {
  if (tokens.has_value()) {
    // What services count is theirs: no sum of it may run over.
    int64_t total = 0;
    sum = __builtin_add_overflow(sum.value_or(0), *tokens, &total)
              ? std::numeric_limits<int64_t>::max()
              : total;
  }
}

void KeepFirst(std::optional<uint64_t>& first, const std::optional<uint64_t>& row) {
  if (row.has_value()) {
    first = std::min(first.value_or(*row), *row);
  }
}

MergeCounts SumOfCounts(const std::map<uint32_t, MergeCounts>& shards) {
  MergeCounts sum;
  for (const auto& [shard, counts] : shards) {
    AddAnswers(sum, counts);
    sum.failed += counts.failed;
    for (const auto& [name, count] : counts.failed_by_class) {
      sum.failed_by_class[name] += count;
    }
  }
  return sum;
}

MergeCounts JoinedCounts(MergeCounts before, const MergeCounts& round) {
  AddAnswers(before, round);
  before.failed = round.failed;
  before.failed_by_class = round.failed_by_class;
  // A digest is a sum over rows; without one of the parts nothing is known of the whole.
  before.digest = before.digest.has_value() && round.digest.has_value()
                      ? std::optional(*before.digest + *round.digest)
                      : std::nullopt;
  return before;
}

std::string FormatMergeCounts(const MergeCounts& counts) {
  Json json = {{"ok", counts.ok},
               {"failed", counts.failed},
               {"failed_by_class", counts.failed_by_class},
               {"duplicates", counts.duplicates},
               {"conflicts", counts.conflicts},
               {"strangers", counts.strangers},
               {"malformed_lines", counts.malformed_lines},
               {"answer_bytes", counts.answer_bytes},
               {"answers_kept", counts.answers_kept},
               {"values", counts.values},
               {"general_values", counts.general_values},
               {"shortened", counts.shortened},
               {"truncated", counts.truncated}};
  if (counts.first_conflict.has_value()) {
    json["first_conflict"] = *counts.first_conflict;
  }
  if (counts.digest.has_value()) {
    json["digest"] = *counts.digest;
  }
  if (counts.prompt_tokens.has_value()) {
    json["prompt_tokens"] = *counts.prompt_tokens;
  }
  if (counts.output_tokens.has_value()) {
    json["output_tokens"] = *counts.output_tokens;
  }
  return json.dump();
}

std::optional<MergeCounts> ParseMergeCounts(const std::string& text) {
  try {
    return CountsFromJson(ParseJson(text));
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace sluice
