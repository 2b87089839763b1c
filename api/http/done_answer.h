// The answer to a call that has nothing to tell but that it is done. A pure function, thread-safe.
#pragma once

#include "api/http/transport.h"
#include "io/base/error.h"

namespace sluice {

// Whether an empty 200 is as good as a 204: at Cloud Storage and BigQuery.
enum class EmptyAnswer { kOnly204, kAny2xx };

// Of a 2xx answer: done when its body is a JSON object without an error (`{}`, an operation), or
// empty where that is the service's way. Errors: kBadAnswer for anything else, like the page of a
// sign-in: what was to be deleted may still be there.
[[nodiscard]] Result<void> CheckDone(const HttpResponse& answer,
                                     EmptyAnswer empty = EmptyAnswer::kOnly204);

}  // namespace sluice
