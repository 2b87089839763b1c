// TemporaryFolder: a folder that goes, with all in it, when its owner does.
#pragma once

#include <string>
#include <string_view>

#include "io/base/error.h"

namespace sluice {

class TemporaryFolder {
 public:
  // In `parent`, else in $TMPDIR or /tmp, with a name that begins with `prefix`, for its owner
  // only. Errors: kIo.
  [[nodiscard]] static Result<TemporaryFolder> Make(std::string_view prefix,
                                                    const std::string& parent = {});
  TemporaryFolder(TemporaryFolder&& other) noexcept;
  TemporaryFolder& operator=(TemporaryFolder&& other) noexcept;
  ~TemporaryFolder();

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}

  std::string path_;  // empty: moved from
};

}  // namespace sluice
