#include "io/sink/output_rows.h"

#include <fmt/format.h>

#include "io/file/line_reader.h"
#include "io/record/row_line.h"

namespace sluice {

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
