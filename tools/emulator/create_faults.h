// What may happen to a call that creates a job, on request, whatever the API. Thread-safe.
#pragma once

#include <functional>
#include <string>

#include "tools/emulator/faults.h"
#include "tools/emulator/jobs.h"
#include "tools/emulator/service.h"

namespace sluice {

// What will become of a job that is made now.
[[nodiscard]] JobFate DrawFate(Faults& faults);

// Waits for as long as the fault says; false when the service stops.
bool Pause(Service& service, Fault fault);

// The answer about a job that was made, which `tell` gives. The job exists; what the client hears
// of it may be nothing.
[[nodiscard]] RouteAnswer AnswerCreate(Service& service, Exchange& exchange,
                                       const std::function<std::string()>& tell);

}  // namespace sluice
