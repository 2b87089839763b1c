// Emulator: the local service. Speaks the Gemini Developer API (files, batches, embedContent,
// batchEmbedContents, generateContent, countTokens, models), Cloud Storage and the sign-in of
// Google Cloud on loopback to any client, with jobs that really wait, run and end, real bytes on
// disk and real limits. No model is involved: see
// lexical_embedding.h and answer.h.
//
// All state lives in `state_folder` and survives kill -9; starting again over the same folder goes
// on with every file, upload and job. `journal.jsonl` there notes every request that cost or
// changed something. GET /_sluice/counters gives the counters as JSON; POST
// /_sluice/clock?advance=SECONDS moves the time by which files and jobs expire; POST
// /_sluice/revoke ends all sign-ins for good. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/base/clock.h"
#include "io/base/error.h"
#include "tools/emulator/counters.h"
#include "tools/emulator/faults.h"

namespace sluice {

struct EmulatorOptions {
  std::string listen = "127.0.0.1:0";  // loopback only; port 0: any that is free
  std::string state_folder;            // made when absent
  // How long a job waits in PENDING.
  std::chrono::milliseconds job_latency_min{50};
  std::chrono::milliseconds job_latency_max{500};
  bool shuffle = true;  // result lines in an order drawn from `seed`
  uint64_t seed = 1;
  // Deleting a job also deletes its result file. The real service keeps it; this frees the disk.
  bool delete_results_with_job = false;
  int workers = 1;                   // jobs that run at once
  std::vector<std::string> faults;   // see EmulatorFaults()
  std::string required_key;          // empty: any key will do
  std::vector<std::string> buckets;  // of Cloud Storage, made when absent
  // Of the access tokens that the service gives out.
  std::chrono::milliseconds token_life{3'600'000};
  // Where to write the key file of a service account, with mode 0600; a file that is there keeps
  // its key. Calls of Google Cloud then need a token that was given to this account. Empty: no
  // call needs one, and anybody gets one.
  std::string credentials_file = {};
  Clock* clock = nullptr;  // must outlive the Emulator; null: the system's

  // The service's own limits, as of 2026-11 (https://ai.google.dev/gemini-api/docs/batch-api,
  // https://ai.google.dev/gemini-api/docs/files).
  uint64_t body_bytes_max = 20'971'520;
  uint64_t file_bytes_max = uint64_t{1} << 31;
  uint64_t store_bytes_max = uint64_t{20} << 30;
  size_t active_jobs_max = 100;
};

class Emulator {
 public:
  // kUsage: an address that is not loopback or is taken, an unknown fault. kIo: the state folder.
  [[nodiscard]] static Result<std::unique_ptr<Emulator>> Start(EmulatorOptions options);
  ~Emulator();
  Emulator(const Emulator&) = delete;
  Emulator& operator=(const Emulator&) = delete;

  [[nodiscard]] int port() const;
  [[nodiscard]] std::string base_url() const;  // "http://127.0.0.1:8787"
  [[nodiscard]] EmulatorCounters counters() const;
  // Ends all connections and runners and joins their threads; a job that runs is left to the next
  // start. May be called twice.
  void Stop();

 private:
  struct State;

 public:
  explicit Emulator(std::unique_ptr<State> state);  // for Start()

 private:
  std::unique_ptr<State> state_;
};

}  // namespace sluice
