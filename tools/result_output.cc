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

Result<void> ExpectPlaceForResult(const std::string& path) {
  std::error_code error;
  const auto found = std::filesystem::status(path, error);
  if (std::filesystem::exists(found) && !std::filesystem::is_regular_file(found) &&
      !std::filesystem::is_directory(found)) {
    return Fail(ErrorCode::kUsage, fmt::format("'{}' is no regular file", path),
                "name a file, or one that is not there yet");
  }
  // /dev/stdout leads to a regular file when output is redirected to one.
  if (std::filesystem::is_symlink(std::filesystem::symlink_status(path, error))) {
    return Fail(ErrorCode::kUsage,
                fmt::format("'{}' is a link, and the result would take its place", path),
                "name the file that it leads to");
  }
  return {};
}

Result<ResultOutput> ResultOutput::Open(FileSystem& files, const std::string& path) {
  ResultOutput output;
  if (!IsStandardOutput(path)) {
    SLUICE_TRY(ExpectPlaceForResult(path));
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
      return Fail(ErrorCode::kUsage, fmt::format("'{}' is a folder", path),
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
