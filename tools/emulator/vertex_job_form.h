// The jobs of Vertex AI for the one who runs them: requests out of Cloud Storage or BigQuery, and
// answers into it.
#pragma once

#include <memory>

#include "io/base/clock.h"
#include "tools/emulator/faults.h"
#include "tools/emulator/job_form.h"
#include "tools/emulator/object_store.h"
#include "tools/emulator/table_store.h"

namespace sluice {

// "projects/100000000000/locations/l/batchPredictionJobs/x": the service names projects by their
// number, whatever they were called.
[[nodiscard]] std::string VertexJobName(const Job& job);

// All must outlive it.
[[nodiscard]] std::unique_ptr<JobForm> MakeVertexJobForm(ObjectStore& objects, TableStore& tables,
                                                         Faults& faults, Clock& clock);

}  // namespace sluice
