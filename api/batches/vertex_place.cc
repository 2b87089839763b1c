#include "api/batches/vertex_place.h"

#include <algorithm>
#include <fmt/format.h>

#include "api/http/google_error.h"
#include "api/http/google_service.h"

namespace sluice {
namespace {

bool IsMadeOf(std::string_view text, size_t size_max, std::string_view also) {
  return !text.empty() && text.size() <= size_max && std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           also.find(c) != std::string_view::npos;
  });
}

// Colons and dots: projects of a domain ("example.com:project").
bool IsProject(std::string_view text) { return IsMadeOf(text, 128, "-.:") && text.front() != '.'; }
bool IsLocation(std::string_view text) { return IsMadeOf(text, 64, "-"); }

// Takes the first segment off `path`.
std::string_view TakeSegment(std::string_view& path) {
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(std::min(path.size(), segment.size() + 1));
  return segment;
}

}  // namespace

std::string VertexPlace::parent() const {
  return fmt::format("projects/{}/locations/{}", project, location);
}

std::string VertexPlace::base_url() const {
  if (location == "global") {
    return "https://aiplatform.googleapis.com";
  }
  return location == "us" || location == "eu"
             ? fmt::format("https://aiplatform.{}.rep.googleapis.com", location)
             : fmt::format("https://{}-aiplatform.googleapis.com", location);
}

Result<void> CheckVertexPlace(const VertexPlace& place) {
  if (place.project.empty()) {
    return Fail(ErrorCode::kUsage, "Vertex AI needs a project",
                "export GOOGLE_CLOUD_PROJECT=..., or --project NAME");
  }
  if (!IsProject(place.project)) {
    return Fail(ErrorCode::kUsage,
                fmt::format("'{}' is not a project", PrintableText(place.project, 80)));
  }
  if (!IsLocation(place.location)) {
    return Fail(ErrorCode::kUsage, fmt::format("'{}' is not a location like us-central1 or global",
                                               PrintableText(place.location, 80)));
  }
  return {};
}

bool IsVertexJobName(std::string_view name) {
  const bool projects = TakeSegment(name) == "projects";
  const std::string_view project = TakeSegment(name);
  const bool locations = TakeSegment(name) == "locations";
  const std::string_view location = TakeSegment(name);
  return projects && locations && IsProject(project) && IsLocation(location) &&
         IsResourceName(name, kVertexJobs);
}

}  // namespace sluice
