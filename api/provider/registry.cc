#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "api/http/google_error.h"
#include "api/provider/provider.h"
#include "api/provider/providers.h"

namespace sluice {
namespace {

struct ProviderEntry {
  std::string_view name;
  ProviderTraits (*traits)(Task task, std::string_view model);
  Result<std::unique_ptr<Provider>> (*make)(const ProviderOptions&, Transport&, Clock&);
};

constexpr std::array kProviders = {
    ProviderEntry{.name = "gemini", .traits = GeminiTraits, .make = MakeGeminiProvider},
    ProviderEntry{.name = "vertex", .traits = VertexTraits, .make = MakeVertexProvider},
};

Result<const ProviderEntry*> FindProvider(std::string_view name) {
  const auto* const entry = std::ranges::find(kProviders, name, &ProviderEntry::name);
  if (entry == kProviders.end()) {
    return Fail(ErrorCode::kUsage,
                fmt::format("no provider is called '{}'", PrintableText(name, 64)),
                fmt::format("known: {}", fmt::join(ProviderNames(), ", ")));
  }
  return entry;
}

}  // namespace

std::vector<std::string> ProviderNames() {
  std::vector<std::string> names;
  names.reserve(std::size(kProviders));
  for (const ProviderEntry& entry : kProviders) {
    names.emplace_back(entry.name);
  }
  return names;
}

Result<ProviderTraits> FindProviderTraits(std::string_view name, Task task,
                                          std::string_view model) {
  SLUICE_ASSIGN(const ProviderEntry* const entry, FindProvider(name));
  return entry->traits(task, model);
}

Result<std::unique_ptr<Provider>> MakeProvider(std::string_view name,
                                               const ProviderOptions& options, Transport& transport,
                                               Clock& clock) {
  SLUICE_ASSIGN(const ProviderEntry* const entry, FindProvider(name));
  return entry->make(options, transport, clock);
}

}  // namespace sluice
