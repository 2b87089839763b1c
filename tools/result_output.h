// ResultOutput: where a command puts what it fetched: standard output, or a file that bears its
// name only when it is whole. One thread at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "io/base/error.h"
#include "io/file/atomic_file.h"

namespace sluice {

// Whether a result may take the name `path`. It replaces what bears the name: a device, a pipe or a
// link of the system's (/dev/stdout) would be gone for everybody. Errors: kUsage.
[[nodiscard]] Result<void> ExpectPlaceForResult(const std::string& path);

class ResultOutput {
 public:
  // An empty path and "-" are standard output. Errors: kUsage for a folder, a device or a pipe, and
  // where no folder takes the file; kIo.
  [[nodiscard]] static Result<ResultOutput> Open(FileSystem& files, const std::string& path);

  // Errors: kIo, also when nobody reads standard output any more.
  [[nodiscard]] Result<void> Write(std::string_view text);
  // Gives the file its name.
  [[nodiscard]] Result<void> Close();

 private:
  ResultOutput() = default;

  std::optional<AtomicFile> file_;
};

[[nodiscard]] inline bool IsStandardOutput(std::string_view path) {
  return path.empty() || path == "-";
}

}  // namespace sluice
