#include "tools/result_output.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

namespace sluice {
namespace {

// In a folder that takes files.
bool HasRoomBeside(const std::string& path) {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::absolute(path, error).parent_path();
  return std::filesystem::is_directory(folder, error) && access(folder.c_str(), W_OK | X_OK) == 0;
}

}  // namespace

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
      // That is a mistake in the command; nothing remote is missing.
      if (file.error().code == ErrorCode::kNotFound || !HasRoomBeside(path)) {
        return Fail(ErrorCode::kUsage,
                    fmt::format("there is no folder for '{}' that may be written into", path),
                    "make it first, or name a file somewhere else");
      }
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
