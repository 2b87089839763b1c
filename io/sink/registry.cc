#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "io/file/line_reader.h"
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

// Every ids line begins so (docs/formats.md): the row can be replaced without parsing the rest.
constexpr std::string_view kRowMember = "{\"row\":";

std::string WithRow(std::string_view ids_line, Ordinal row) {
  const size_t digits_end = ids_line.find_first_not_of("0123456789", kRowMember.size());
  return fmt::format("{}{}{}", kRowMember, row, ids_line.substr(digits_end));
}

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

Result<uint64_t> ForEachOutputRow(
    FileSystem& files, const CloseRequest& request,
    const std::function<Result<void>(Ordinal row, std::string_view ids_line)>& take) {
  SLUICE_ASSIGN(auto file, files.Open(request.ids_path, OpenMode::kRead));
  LineReader lines(MakeFileSource(std::move(file)));
  auto failure = request.failures.begin();
  uint64_t kept = 0;
  for (Ordinal row = 0; row < request.row_count; ++row) {
    SLUICE_ASSIGN(const auto line, lines.Next());
    if (!line.has_value() || !line->starts_with(kRowMember)) {
      return Fail(ErrorCode::kInput,
                  fmt::format("'{}' ends or is damaged at row {} of {}", request.ids_path, row,
                              request.row_count),
                  "put the file back and go on, or start over with --fresh (jobs are paid again)");
    }
    const bool failed = failure != request.failures.end() && *failure == row;
    failure += failed ? 1 : 0;
    if (failed && request.skip_failures) {
      continue;
    }
    SLUICE_TRY(take(row, kept == row ? *line : WithRow(*line, kept)));
    ++kept;
  }
  return kept;
}

}  // namespace sluice
