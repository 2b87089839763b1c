// CheckedLines: a file of lines beside the lines that are expected in it, one after the other. The
// first line that differs is reported, and then no more of that file: what follows is likely to
// differ, too. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/verify_findings.h"
#include "io/codec/byte_source.h"
#include "io/file/file_system.h"
#include "io/file/line_reader.h"

namespace sluice {

class CheckedLines {
 public:
  // `name` is what findings call the file.
  CheckedLines(std::unique_ptr<ByteSource> source, std::string name, Findings& findings)
      : lines_(std::move(source)), name_(std::move(name)), findings_(findings) {}
  // A file that cannot be opened is a finding.
  [[nodiscard]] static CheckedLines Open(FileSystem& files, const std::string& path,
                                         std::string name, Findings& findings);

  // The next line; nothing when there is none (which is reported, with what was `expected`), or
  // when the file was given up.
  [[nodiscard]] std::optional<std::string_view> Next(std::string_view expected);
  // The next line; nothing at the end, which bytes without a line end are not.
  [[nodiscard]] std::optional<std::string_view> NextIfAny();
  // The next line has to be `expected`.
  void Expect(std::string_view expected);
  // Reports that the line just given is wrong, and gives the file up.
  void Refuse(std::string_view what);
  // There must be nothing more, not even bytes without a line end.
  void ExpectEnd();

  [[nodiscard]] bool given_up() const { return given_up_; }
  [[nodiscard]] uint64_t line_count() const { return line_count_; }
  // Of the lines given so far, with their LFs.
  [[nodiscard]] uint64_t bytes() const { return lines_.offset(); }

 private:
  void GiveUp(std::string what);

  LineReader lines_;
  std::string name_;
  Findings& findings_;
  uint64_t line_count_ = 0;
  bool given_up_ = false;
};

// `text` in quotes, not too long, for a finding.
[[nodiscard]] std::string Excerpt(std::string_view text);

}  // namespace sluice
