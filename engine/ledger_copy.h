// LedgerCopy: the files of a ledger as they are, in a folder of their own below $TMPDIR that goes
// with the object. For looking at a ledger whose own folder must not, or cannot, be written in.
#pragma once

#include <string>
#include <utility>

#include "io/base/error.h"

namespace sluice {

class LedgerCopy {
 public:
  // Of a ledger that is written meanwhile the copy may be damaged.
  [[nodiscard]] static Result<LedgerCopy> Make(const std::string& ledger);
  LedgerCopy(LedgerCopy&& other) noexcept : folder_(std::exchange(other.folder_, {})) {}
  LedgerCopy& operator=(LedgerCopy&& other) = delete;
  ~LedgerCopy();

  [[nodiscard]] std::string path() const { return folder_ + "/ledger.db"; }

 private:
  explicit LedgerCopy(std::string folder) : folder_(std::move(folder)) {}

  std::string folder_;
};

}  // namespace sluice
