// The Operation of a job, as the service's get, list and create answers show it. Pure functions.
#pragma once

#include <string>

#include "tools/emulator/jobs.h"

namespace sluice {

struct OperationForm {
  // Stands, as a string, where the list of inlined responses belongs; empty: they are left out, as
  // in a list of jobs.
  std::string inlined_mark;
  bool job_state_prefix = false;  // fault
  bool single_level = false;      // fault
  bool stale_stats = false;       // fault
};

// Compact JSON.
[[nodiscard]] std::string OperationText(const Job& job, const OperationForm& form);
// The GenerateContentBatch or EmbedContentBatch alone.
[[nodiscard]] std::string BatchText(const Job& job, const OperationForm& form);

}  // namespace sluice
