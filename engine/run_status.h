// RunStatus: where a run stands, from its folder alone; does not need the lock.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/base/error.h"
#include "io/file/file_system.h"

namespace sluice {

struct JobStatus {
  uint32_t shard = 0;
  int attempt = 0;
  int round = 0;      // how often failed rows were asked again
  std::string state;  // of the ledger: "SEALED", "INTENT", "SUBMITTED", ...
  std::string job;
  std::string note;  // why it waits or failed
  uint64_t rows = 0, ok = 0, failed = 0;
};

struct RunStatus {
  std::string run_folder;
  std::string state;  // "RUNNING" (a live process holds it), "STOPPED", "DONE"
  std::string model, provider, output;
  bool packed = false;
  bool cancelled = false;
  uint64_t documents = 0, rejected = 0, merged = 0, failed = 0;
  std::vector<JobStatus> jobs;
};

// Errors: as RunDirectory::ExpectRun(), Ledger::OpenToRead() and Manifest::Read().
[[nodiscard]] Result<RunStatus> ReadRunStatus(FileSystem& files, const std::string& run_folder);

}  // namespace sluice
