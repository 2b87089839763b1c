// LocalService: the emulator inside this process, on a free loopback port: what stands behind
// `--backend local`. The wire between is the real one. One thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "io/base/error.h"
#include "io/file/temporary_folder.h"

namespace sluice {

class Emulator;

class LocalService {
 public:
  // For reports: no reader may take these vectors for a neural model's.
  static constexpr std::string_view kNote =
      "sluice's local service: deterministic lexical embeddings (hashed words and character "
      "n-grams) and echo answers, not a neural model";
  static constexpr std::string_view kApiKey = "local-service-needs-no-key";

  // Files and jobs are kept in `state_folder`, so that a run that was stopped finds its jobs again;
  // when it is empty, in a temporary folder that goes with the service.
  [[nodiscard]] static Result<LocalService> Start(std::string state_folder);
  LocalService(LocalService&& other) noexcept;
  LocalService& operator=(LocalService&& other) = delete;
  ~LocalService();

  [[nodiscard]] std::string base_url() const;
  // Stops it and throws its files and jobs away.
  void Discard();

 private:
  LocalService(std::optional<TemporaryFolder> temporary, std::string state_folder,
               std::unique_ptr<Emulator> emulator);

  std::optional<TemporaryFolder> temporary_;
  std::string state_folder_;
  std::unique_ptr<Emulator> emulator_;  // last: it writes into the folder until it is gone
};

}  // namespace sluice
