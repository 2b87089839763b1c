// The makers of the providers that there are, for the registry alone.
#pragma once

#include <memory>

#include "api/provider/provider.h"

namespace sluice {

[[nodiscard]] ProviderTraits GeminiTraits();
[[nodiscard]] Result<std::unique_ptr<Provider>> MakeGeminiProvider(const ProviderOptions& options,
                                                                   Transport& transport,
                                                                   Clock& clock);

}  // namespace sluice
