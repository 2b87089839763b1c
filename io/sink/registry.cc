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

}  // namespace

Result<std::unique_ptr<Sink>> MakeSink(FileSystem& files, SinkOptions options) {
  for (const Format& format : kFormats) {
    if (options.output.ends_with(format.ending)) {
      return format.make(files, std::move(options));
    }
  }
  return Fail(ErrorCode::kUsage,
              fmt::format("cannot tell the output format of '{}'", options.output),
              "end the name with .npy (vectors) or .jsonl (answers)");
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
      return Fail(ErrorCode::kIo, fmt::format("'{}' ends or is damaged at row {} of {}",
                                              request.ids_path, row, request.row_count));
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
