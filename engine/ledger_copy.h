// LedgerCopy: the files of a ledger as they are, in a folder of their own below $TMPDIR that goes
// with the object. For looking at a ledger whose own folder must not, or cannot, be written in.
#pragma once

#include <string>
#include <utility>

#include "io/base/error.h"
#include "io/file/temporary_folder.h"

namespace sluice {

class LedgerCopy {
 public:
  // Of a ledger that is written meanwhile the copy may be damaged. Errors: kIo.
  [[nodiscard]] static Result<LedgerCopy> Make(const std::string& ledger);

  [[nodiscard]] std::string path() const { return folder_.path() + "/ledger.db"; }

 private:
  explicit LedgerCopy(TemporaryFolder folder) : folder_(std::move(folder)) {}

  TemporaryFolder folder_;
};

}  // namespace sluice
