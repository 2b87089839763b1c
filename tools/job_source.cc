#include "tools/job_source.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/batches/request_lines.h"
#include "api/bigquery/table_name.h"
#include "api/storage/object_name.h"
#include "io/file/line_reader.h"
#include "io/json/json_document.h"
#include "tools/argument_files.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

// Of what is remote already nothing can be changed.
Result<void> ExpectNoChange(const std::string& name, const JobSourceOptions& options) {
  if (!options.generation_config.empty() || !options.system_instruction.empty()) {
    return Fail(ErrorCode::kUsage,
                fmt::format("--generation-config and --system-instruction cannot be put into {}, "
                            "which is at the service already",
                            name),
                "put them into its lines yourself; those of a file that is sent from here to the "
                "Gemini Developer API get them on the way");
  }
  if (options.way != JobSourceOptions::Way::kBySize) {
    return Fail(ErrorCode::kUsage,
                fmt::format("--inline and --upload are for a file here; {} is uploaded", name));
  }
  return {};
}

Result<std::vector<InlineRequest>> ReadInlineRequests(const StageSource& lines) {
  SLUICE_ASSIGN(auto bytes, lines.open());
  LineReader reader(std::move(bytes));
  std::vector<InlineRequest> requests;
  while (true) {
    SLUICE_ASSIGN(const std::optional<std::string_view> line, reader.Next());
    if (!line) {
      return requests;
    }
    const Json document = ParseJson(*line);  // we made the line ourselves
    requests.push_back(
        {.key = document["key"].get<std::string>(), .request = document["request"].dump()});
  }
}

}  // namespace

Result<JobSource> ReadJobSource(const std::string& text, const JobSourceOptions& options,
                                const std::stop_token& stop) {
  using Way = JobSourceOptions::Way;
  if (text.starts_with("files/")) {
    SLUICE_TRY(ExpectNoChange(text, options));
    return JobSource{.uploaded_file = text};
  }
  if (IsObjectUri(text) || IsTableUri(text)) {
    SLUICE_TRY(ExpectNoChange(text, options));
    return JobSource{.cloud_uri = text};
  }
  const std::string name = text == "-" ? "standard input" : text;
  SLUICE_ASSIGN(const StageSource file, PlainSourceOfArgument(text, stop));
  SLUICE_ASSIGN(StageSource lines,
                MakeRequestLines(file,
                                 {.task = options.task,
                                  .generation_config = options.generation_config,
                                  .system_instruction = options.system_instruction,
                                  .name = name},
                                 stop));
  if (lines.size == 0) {
    return Fail(ErrorCode::kInput, fmt::format("{}: there is no request in it", name));
  }
  const bool small = lines.size <= kInlineBytesUsual;
  if (options.way == Way::kUpload || (options.way == Way::kBySize && !small)) {
    return JobSource{.lines_to_upload = std::move(lines)};
  }
  SLUICE_ASSIGN(auto requests, ReadInlineRequests(lines));
  return JobSource{.inline_requests = std::move(requests)};
}

}  // namespace sluice
