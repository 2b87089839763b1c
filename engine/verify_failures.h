// VerifyFailures: the rows that failed, in order, from a failures file (docs/formats.md), each line
// checked as it comes. One thread at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/verify_findings.h"
#include "engine/verify_lines.h"
#include "io/file/file_system.h"
#include "io/record/ordinal.h"

namespace sluice {

struct VerifiedFailure {
  std::string failure_class;
  std::string error;  // the JSON object as it stands in the file
};

class VerifyFailures {
 public:
  // `has_ids`: lines have the members of the ids line; else they begin with {"row":R.
  VerifyFailures(FileSystem& files, const std::string& path, const std::string& name, bool has_ids,
                 Findings& findings);

  // The failure of `row`, or nothing when it did not fail. Rows are asked for in order.
  [[nodiscard]] std::optional<VerifiedFailure> Take(Ordinal row, std::string_view ids_line);
  // No failure is left.
  void ExpectEnd();

 private:
  void ReadNext();

  CheckedLines lines_;
  bool has_ids_;
  std::string line_;               // the next one, not taken yet
  std::optional<Ordinal> row_;     // of it; nothing at the end
  std::optional<Ordinal> before_;  // of the one before
};

}  // namespace sluice
