// JobFilter: which batch prediction jobs a list shows. The part of the service's grammar that
// clients use: terms joined by AND, each of them
//
//   labels.key=value   labels.key:*   state="JOB_STATE_..."
//   display_name="..."  display_name!="..."  display_name:"prefix*"
//
// displayName likewise: the reference spells fields in both ways. Immutable, thread-safe.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "tools/emulator/google_error.h"
#include "tools/emulator/jobs.h"

namespace sluice {

class JobFilter {
 public:
  // Nothing takes all. An INVALID_ARGUMENT for what the local service does not know.
  [[nodiscard]] static std::expected<JobFilter, ApiError> Parse(std::string_view text);
  [[nodiscard]] bool Takes(const Job& job) const;

 private:
  enum class Relation { kIs, kIsNot, kMatches };
  struct Term {
    std::string field;
    Relation relation = Relation::kIs;
    std::string value;
  };
  [[nodiscard]] static bool Holds(const Term& term, const Job& job);

  std::vector<Term> terms_;
};

}  // namespace sluice
