// The makers of the providers that there are, for the registry alone.
#pragma once

#include <memory>

#include "api/provider/provider.h"

namespace sluice {

[[nodiscard]] ProviderTraits GeminiTraits(Task task, std::string_view model);
[[nodiscard]] ProviderTraits VertexTraits(Task task, std::string_view model);
[[nodiscard]] Result<std::unique_ptr<Provider>> MakeGeminiProvider(const ProviderOptions& options,
                                                                   Transport& transport,
                                                                   Clock& clock);
[[nodiscard]] Result<std::unique_ptr<Provider>> MakeVertexProvider(const ProviderOptions& options,
                                                                   Transport& transport,
                                                                   Clock& clock);

}  // namespace sluice
