// VertexPlace: the project and the location of Google Cloud in which batch prediction jobs live,
// and the names of jobs there. Plain data; immutable functions.
//
// Source: REST reference of projects.locations.batchPredictionJobs and its list of endpoints
// (2026-08).
#pragma once

#include <string>
#include <string_view>

#include "io/base/error.h"

namespace sluice {

// The collection of batch jobs in names and addresses.
inline constexpr std::string_view kVertexJobs = "batchPredictionJobs";

struct VertexPlace {
  std::string project;   // its id or its number
  std::string location;  // a region, "us", "eu" or "global"

  // "projects/p/locations/l".
  [[nodiscard]] std::string parent() const;
  // "https://us-central1-aiplatform.googleapis.com". Two pages of the documentation name different
  // hosts for "us" and "eu"; this is the one of the list of endpoints and of the SDKs.
  [[nodiscard]] std::string base_url() const;
};

// kUsage for what cannot be a project or a location.
[[nodiscard]] Result<void> CheckVertexPlace(const VertexPlace& place);

// Whether `name` is projects/P/locations/L/batchPredictionJobs/ID, each of the characters that it
// may have: nothing else from a service is ever put into an address.
[[nodiscard]] bool IsVertexJobName(std::string_view name);

}  // namespace sluice
