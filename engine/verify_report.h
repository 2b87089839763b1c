// Whether report.json says what the manifest, the ledger and failures.jsonl say.
#pragma once

#include "engine/verify_findings.h"
#include "engine/verify_input.h"

namespace sluice {

void CheckReport(const VerifyInput& input, Findings& findings);

}  // namespace sluice
