// Output: results on stdout, everything else on stderr, errors in the one form that docs/cli.md
// promises. Used by one thread at a time; while a ProgressDisplay draws, what goes to stderr goes
// through it.
#pragma once

#include <string>
#include <string_view>

#include "io/base/error.h"
#include "tools/terminal.h"

namespace sluice {

struct Console {
  bool json = false;
  bool quiet = false;
  Terminal out, err;

  void Print(std::string_view text) const;  // stdout
  void Say(std::string_view text) const;    // stderr, unless quiet
  void Warn(std::string_view text) const;   // stderr, unless quiet; nothing when `text` is empty
  void PrintError(const Error& error) const;
};

// "error: ...", "hint:  ...   (exit N)", as lines.
[[nodiscard]] std::string FormatError(const Error& error, bool color);
// {"v":1,"type":"error","code":4,"class":"auth","message":...,"hint":...} with its line end.
[[nodiscard]] std::string FormatErrorAsJson(const Error& error, const Terminal& terminal = {});

}  // namespace sluice
