// RunSettings: what may not change within a run, because it changes the bytes sent, their meaning
// or the account that pays. Kept in the ledger; a run that is started again with something else is
// refused with the name of the setting.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "engine/ledger.h"
#include "engine/run.h"
#include "engine/run_directory.h"
#include "io/base/error.h"
#include "io/corpus/corpus.h"

namespace sluice {

// The name of the account among the settings.
inline constexpr const char* kAccountSetting = "the account (API key or --base-url)";

// Pins the settings of a new run, or compares with those it began with. A corpus file has changed
// when its size has; when only its time stamps moved, what was read of it is read again and
// compared (engine/content_log). Until all is packed it may change behind what is packed of it
// (engine/packed_corpus). Errors: kUsage naming a changed setting, kInput naming a changed corpus
// file and what about it changed, kUnfinished when `stop` is requested.
[[nodiscard]] Result<void> PinSettings(Ledger& ledger, FileSystem& files,
                                       const RunDirectory& directory, const RunOptions& options,
                                       const std::string& account,
                                       const std::vector<CorpusFile>& list,
                                       const std::stop_token& stop);

// What was pinned, to look at it again.
struct PinnedRun {
  RequestOptions request;
  std::string provider_name;
  std::string id_field;
  std::string output;  // empty: still open
  bool normalize = false;
  size_t line_bytes_max = 0;
  ShardLimits limits;
  std::vector<CorpusFile> files;  // as they were listed; paths from the root
};
// Errors: kInput when nothing was pinned yet, kIo when it cannot be read.
[[nodiscard]] Result<PinnedRun> ReadPinnedRun(Ledger& ledger);

}  // namespace sluice
