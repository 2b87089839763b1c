#include "tools/result_output.h"

#include <cerrno>
#include <cstdio>

namespace sluice {

Result<ResultOutput> ResultOutput::Open(FileSystem& files, const std::string& path) {
  ResultOutput output;
  if (!IsStandardOutput(path)) {
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
