// Runner: runs jobs that are due, one a worker thread. Reads the input line by line and writes the
// results beside it in flat memory: eight bytes a line are kept to answer them in a shuffled order.
// A line that cannot be answered is an error line and never stops a job.
#pragma once

#include <stop_token>
#include <thread>
#include <vector>

#include "io/base/clock.h"
#include "tools/emulator/counters.h"
#include "tools/emulator/faults.h"
#include "tools/emulator/job_form.h"
#include "tools/emulator/jobs.h"
#include "tools/emulator/journal.h"

namespace sluice {

struct RunnerParts {
  FileSystem& files;
  Clock& clock;
  Jobs& jobs;
  JobForm& form;
  Faults& faults;
  Journal& journal;
  Counters& counters;
};

struct RunnerOptions {
  bool shuffle = true;
  uint64_t seed = 1;
  int workers = 1;
};

class Runner {
 public:
  // Starts the workers.
  Runner(RunnerParts parts, RunnerOptions options);
  // Leaves unfinished jobs as they are: they run again at the next start.
  ~Runner();

 private:
  void Work(const std::stop_token& stop);
  void Run(Job job, const std::stop_token& stop);

  const RunnerParts parts_;
  const RunnerOptions options_;
  std::vector<std::jthread> workers_;
};

}  // namespace sluice
