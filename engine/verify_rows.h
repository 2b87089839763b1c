// VerifyRows: the rows of an output, or of what will become one, as a look at a run reads them: in
// order, once, and each as a checksum. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/verify_findings.h"
#include "io/file/file_system.h"

namespace sluice {

// One row. Views live until the next call.
struct VerifyRow {
  bool is_there = false;  // false: the file was given up, its finding is made
  bool is_failure = false;
  uint64_t value = 0;      // ChecksumOf() its floats, or its answer's text
  std::string_view error;  // of a failure: a JSON object; empty in an array
};

class VerifyRows {
 public:
  virtual ~VerifyRows() = default;
  // The next row. `ids_line` as it has to stand in front of it, when the file has such.
  [[nodiscard]] virtual VerifyRow Next(std::string_view ids_line) = 0;
  virtual void ExpectEnd() = 0;
};

// `count` rows from `row` on of a numpy array with `dimension` columns. The header is not looked
// at.
[[nodiscard]] std::unique_ptr<VerifyRows> OpenArrayRows(FileSystem& files, const std::string& path,
                                                        const std::string& name, uint64_t row,
                                                        uint64_t count, int dimension,
                                                        Findings& findings);
// Lines: with `has_ids` as docs/formats.md has OUT.jsonl, else the answers alone.
[[nodiscard]] std::unique_ptr<VerifyRows> OpenLineRows(FileSystem& files, const std::string& path,
                                                       const std::string& name, bool has_ids,
                                                       bool embeds, Findings& findings);

}  // namespace sluice
