#include <array>
#include <fmt/format.h>

#include "api/http/google_error.h"
#include "api/provider/provider.h"
#include "api/provider/providers.h"

namespace sluice {
namespace {

struct Entry {
  std::string_view name;
  Result<std::unique_ptr<Provider>> (*make)(const ProviderOptions&, Transport&, Clock&);
};

constexpr std::array kProviders = {
    Entry{.name = "gemini", .make = MakeGeminiProvider},
};

}  // namespace

std::vector<std::string> ProviderNames() {
  std::vector<std::string> names;
  for (const Entry& entry : kProviders) {
    names.emplace_back(entry.name);
  }
  return names;
}

Result<std::unique_ptr<Provider>> MakeProvider(std::string_view name,
                                               const ProviderOptions& options, Transport& transport,
                                               Clock& clock) {
  for (const Entry& entry : kProviders) {
    if (entry.name == name) {
      return entry.make(options, transport, clock);
    }
  }
  return Fail(ErrorCode::kUsage, fmt::format("no provider is called '{}'", PrintableText(name, 64)),
              fmt::format("known: {}", fmt::join(ProviderNames(), ", ")));
}

}  // namespace sluice
