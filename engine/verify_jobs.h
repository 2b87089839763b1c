// Whether the ledger, the manifest and the counts of the merges agree, each with itself and with
// the others.
#pragma once

#include "engine/verify_findings.h"
#include "engine/verify_input.h"

namespace sluice {

void CheckManifest(const VerifyInput& input, Findings& findings);
void CheckLedger(const VerifyInput& input, Findings& findings);

}  // namespace sluice
