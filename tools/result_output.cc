#include "tools/result_output.h"

#include <cerrno>
#include <cstdio>
#include <fmt/format.h>

namespace sluice {

Result<ResultOutput> ResultOutput::Open(FileSystem& files, const std::string& path) {
  ResultOutput output;
  if (!IsStandardOutput(path)) {
    // It is replaced as a whole, and a device or a pipe would be gone.
    if (const auto there = files.Stat(path); there.has_value() && !there->is_regular) {
      return Fail(ErrorCode::kUsage, fmt::format("'{}' is no regular file", path),
                  "name a file, or one that is not there yet; - is standard output");
    }
    Result<AtomicFile> file = AtomicFile::Create(files, path);
    if (!file.has_value()) {
      // No folder for it is a mistake in the command; nothing remote is missing.
      ErrorCode& code = file.error().code;
      code = code == ErrorCode::kNotFound ? ErrorCode::kUsage : code;
      return std::unexpected(std::move(file).error());
    }
    output.file_.emplace(*std::move(file));
  }
  return output;
}

Result<void> ResultOutput::Write(std::string_view text) {
  if (file_) {
    return file_->Write(text);
  }
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
    return std::unexpected(SystemError("write to", "standard output", errno));
  }
  return {};
}

Result<void> ResultOutput::Close() { return file_ ? file_->Commit() : Result<void>(); }

}  // namespace sluice
