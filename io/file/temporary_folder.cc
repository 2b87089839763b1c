#include "io/file/temporary_folder.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

namespace sluice {

Result<TemporaryFolder> TemporaryFolder::Make(std::string_view prefix, const std::string& parent) {
  std::error_code error;
  const std::filesystem::path place =
      parent.empty() ? std::filesystem::temp_directory_path(error) : std::filesystem::path(parent);
  std::string path = (place / prefix).string() + "XXXXXX";
  if (error || mkdtemp(path.data()) == nullptr) {
    return std::unexpected(SystemError("make a folder like", path, error ? error.value() : errno));
  }
  return TemporaryFolder(std::move(path));
}

TemporaryFolder::TemporaryFolder(TemporaryFolder&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

TemporaryFolder& TemporaryFolder::operator=(TemporaryFolder&& other) noexcept {
  std::swap(path_, other.path_);
  return *this;
}

TemporaryFolder::~TemporaryFolder() {
  if (!path_.empty()) {
    // What cannot be removed costs room on the disk and nothing else.
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
}

}  // namespace sluice
