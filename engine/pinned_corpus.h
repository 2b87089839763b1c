// The corpus as a run began with it: its files, their sizes and time stamps, kept in the ledger
// (docs/formats.md), and whether they still hold what was read of them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <vector>

#include "engine/run_directory.h"
#include "io/base/error.h"
#include "io/corpus/corpus.h"
#include "io/file/file_system.h"

namespace sluice {

[[nodiscard]] nlohmann::json CorpusToJson(const std::vector<CorpusFile>& list);
// Throws nlohmann::json::exception for what CorpusToJson() did not write.
[[nodiscard]] std::vector<CorpusFile> CorpusFromJson(const nlohmann::json& json);

// Both throw as CorpusFromJson(), for what is `pinned`.
//
// Whether `list` has the files of the run, by their names, and gives the same standard input.
// Errors: kInput naming what is new, gone or another; kUnfinished; kIo.
[[nodiscard]] Result<void> ExpectPinnedFiles(FileSystem& files, const RunDirectory& directory,
                                             const nlohmann::json& pinned,
                                             const std::vector<CorpusFile>& list,
                                             const std::stop_token& stop);
// True when time stamps moved and what was read is as it was. Errors: kInput naming a changed file
// and what about it changed; kUsage for one that would be read in another way; kIo.
[[nodiscard]] Result<bool> IsPinnedCorpusTouched(FileSystem& files, const RunDirectory& directory,
                                                 const nlohmann::json& pinned,
                                                 const std::vector<CorpusFile>& list);

}  // namespace sluice
