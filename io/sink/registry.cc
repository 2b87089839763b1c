#include <array>
#include <fmt/format.h>

#include "io/sink/formats.h"

namespace sluice {
namespace {

struct Format {
  std::string_view ending;
  std::unique_ptr<Sink> (*make)(FileSystem&, SinkOptions);
};

constexpr std::array kFormats = {
    Format{.ending = ".npy", .make = MakeNpySink},
    Format{.ending = ".jsonl", .make = MakeJsonlSink},
};

Result<const Format*> FindFormat(const std::string& output) {
  for (const Format& format : kFormats) {
    if (output.ends_with(format.ending)) {
      return &format;
    }
  }
  return Fail(ErrorCode::kUsage, fmt::format("cannot tell the output format of '{}'", output),
              "end the name with .npy (vectors) or .jsonl (answers)");
}

}  // namespace

Result<std::unique_ptr<Sink>> MakeSink(FileSystem& files, SinkOptions options) {
  SLUICE_ASSIGN(const Format* const format, FindFormat(options.output));
  return format->make(files, std::move(options));
}

Result<void> ExpectOutputFormat(const std::string& output) {
  SLUICE_TRY(FindFormat(output));
  return {};
}

std::string IdsPathOf(const std::string& output) {
  return output.substr(0, output.rfind(".npy")) + ".ids.jsonl";
}

Result<void> TryOutput(FileSystem& files, const std::string& output) {
  SLUICE_TRY(FindFormat(output));
  if (const auto stat = files.Stat(output); stat.has_value() && stat->is_folder) {
    return Fail(ErrorCode::kUsage, fmt::format("the output '{}' is a folder", output));
  }
  // Not the name that the output's own temporary file will have, of which a crash may have left
  // something.
  const std::string path = output + ".try";
  Result<std::unique_ptr<File>> file = files.Open(path, OpenMode::kCreate);
  if (!file.has_value()) {
    Error& error = file.error();
    error.code = error.code == ErrorCode::kNotFound ? ErrorCode::kUsage : error.code;
    error.hint = "the output is written there at the end: see that it can be (-o FILE)";
    return std::unexpected(std::move(error));
  }
  return files.Remove(path);
}

}  // namespace sluice
