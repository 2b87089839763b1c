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

// Among the links that begin with `path` is one of the system's, as /dev/stdout: it leads to a
// regular file when output is redirected to one, and must stay all the same.
bool LeadsToSystem(const std::filesystem::path& path) {
  constexpr int kLinksMax = 40;  // as the kernel follows
  std::error_code error;
  std::filesystem::path place = std::filesystem::absolute(path, error).lexically_normal();
  for (int links = 0; links < kLinksMax && std::filesystem::is_symlink(place, error); ++links) {
    if (place.string().starts_with("/dev/") || place.string().starts_with("/proc/")) {
      return true;
    }
    const std::filesystem::path target = std::filesystem::read_symlink(place, error);
    place = (place.parent_path() / target).lexically_normal();
  }
  return false;
}

}  // namespace

Result<void> ExpectPlaceForResult(const std::string& path) {
  std::error_code error;
  const auto found = std::filesystem::status(path, error);
  const bool is_other = std::filesystem::exists(found) &&
                        !std::filesystem::is_regular_file(found) &&
                        !std::filesystem::is_directory(found);
  if (is_other || LeadsToSystem(path)) {
    return Fail(ErrorCode::kUsage, fmt::format("'{}' is no regular file", path),
                "name a file, or one that is not there yet");
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
