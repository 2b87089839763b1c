// The routes of models: the list, and the calls that are answered at once. Thread-safe.
#pragma once

#include "tools/emulator/service.h"

namespace sluice {

[[nodiscard]] RouteAnswer ListModels(Service& service, Call& call);
[[nodiscard]] RouteAnswer GetModel(Service& service, Call& call);
[[nodiscard]] RouteAnswer EmbedContent(Service& service, Call& call);
[[nodiscard]] RouteAnswer BatchEmbedContents(Service& service, Call& call);
[[nodiscard]] RouteAnswer GenerateContent(Service& service, Call& call);
[[nodiscard]] RouteAnswer CountTokens(Service& service, Call& call);

}  // namespace sluice
