#include "tools/argument_files.h"

#include <fmt/format.h>
#include <optional>

namespace sluice {

Result<std::string> ReadFlagFile(const Arguments& arguments, std::string_view name,
                                 FileSystem& files) {
  constexpr uint64_t kFlagFileMax = uint64_t{16} << 20;
  const std::optional<std::string> path = arguments.Text(name);
  if (!path) {
    return std::string();
  }
  Result<std::string> text = ReadWholeFile(files, *path, kFlagFileMax);
  if (!text.has_value()) {
    return Fail(ErrorCode::kUsage, fmt::format("{}: {}", name, text.error().message));
  }
  return text;
}

Result<StageSource> SourceOfArgument(const std::string& path) {
  Result<StageSource> source = SourceOfFile(path);
  if (!source.has_value() && source.error().code == ErrorCode::kNotFound) {
    source.error().code = ErrorCode::kInput;
  }
  return source;
}

}  // namespace sluice
