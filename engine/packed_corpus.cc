#include "engine/packed_corpus.h"

#include <algorithm>

#include "engine/verify_corpus.h"

namespace sluice {
namespace {

Result<bool> HoldsWhatWasPacked(FileSystem& files, const RunDirectory& directory,
                                const Manifest& manifest, const PinnedRun& run,
                                const std::stop_token& stop) {
  SLUICE_ASSIGN(const auto protocol, MakeLineProtocol(run.provider_name, run.request));
  const VerifyInput input{.files = files,
                          .directory = directory,
                          .manifest = manifest,
                          .pinned = run,
                          .protocol = *protocol,
                          .stop = stop};
  Findings findings;
  SLUICE_TRY(CheckCorpus(input, findings));
  return findings.problem_count() == 0;
}

}  // namespace

Result<bool> AcceptChangedCorpus(FileSystem& files, const RunDirectory& directory,
                                 const PinnedRun& run, const std::stop_token& stop) {
  // Standard input cannot be read twice.
  if (std::ranges::any_of(run.files, &CorpusFile::is_standard_input)) {
    return false;
  }
  SLUICE_ASSIGN(const Manifest manifest, Manifest::Read(files, directory.manifest()));
  if (manifest.end().has_value() && manifest.end()->next > 0) {
    return false;
  }
  if (manifest.end().has_value()) {
    SLUICE_TRY(files.Remove(directory.manifest()));
  } else {
    SLUICE_ASSIGN(const bool holds, HoldsWhatWasPacked(files, directory, manifest, run, stop));
    if (!holds) {
      return false;
    }
  }
  SLUICE_TRY(files.Remove(directory.content()));
  return true;
}

}  // namespace sluice
