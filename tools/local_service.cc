#include "tools/local_service.h"

#include <algorithm>
#include <filesystem>
#include <thread>
#include <utility>

#include "tools/emulator/emulator.h"

namespace sluice {

Result<LocalService> LocalService::Start(std::string state_folder) {
  std::optional<TemporaryFolder> temporary;
  if (state_folder.empty()) {
    SLUICE_ASSIGN(temporary, TemporaryFolder::Make("sluice-service-"));
    state_folder = temporary->path();
  }
  EmulatorOptions options;
  options.state_folder = state_folder;
  options.delete_results_with_job = true;
  options.workers = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  options.required_key = kApiKey;
  SLUICE_ASSIGN(auto emulator, Emulator::Start(std::move(options)));
  return LocalService(std::move(temporary), std::move(state_folder), std::move(emulator));
}

LocalService::LocalService(std::optional<TemporaryFolder> temporary, std::string state_folder,
                           std::unique_ptr<Emulator> emulator)
    : temporary_(std::move(temporary)),
      state_folder_(std::move(state_folder)),
      emulator_(std::move(emulator)) {}

LocalService::LocalService(LocalService&& other) noexcept = default;

LocalService::~LocalService() = default;

std::string LocalService::base_url() const { return emulator_->base_url(); }

void LocalService::Discard() {
  emulator_->Stop();
  // What cannot be removed costs room on the disk and nothing else.
  std::error_code ignored;
  std::filesystem::remove_all(state_folder_, ignored);
}

}  // namespace sluice
