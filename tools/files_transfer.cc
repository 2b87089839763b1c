#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <string>

#include "io/file/file_system.h"
#include "tools/argument_files.h"
#include "tools/file_format.h"
#include "tools/files_commands.h"
#include "tools/json_line.h"
#include "tools/result_output.h"
#include "tools/service_client.h"
#include "tools/shown_upload.h"
#include "tools/stopping.h"
#include "tools/units.h"

namespace sluice {
namespace {

using OrderedJson = nlohmann::ordered_json;

// "files/x" and "x" are the same name.
std::string FileId(const Arguments& arguments) {
  constexpr std::string_view kPrefix = "files/";
  const std::string name = arguments.TextOr("--name", "");
  return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
}

void PrintDryRun(const Console& console, const std::string& path, uint64_t size) {
  const OrderedJson document = {
      {"v", 1}, {"type", "uploaded"}, {"dry_run", true}, {"path", path}, {"bytes", size}};
  console.Print(console.json ? JsonLine(document, console.out)
                             : fmt::format("would upload {} ({})\n", EscapeControls(path),
                                           FormatBytes(size)));
}

// The bytes of the file on standard output, which cannot be taken back: when the transfer begins
// anew, those that are there already are passed over.
Result<void> DownloadToStandardOutput(const CommandContext& context, Client& client,
                                      const std::string& name) {
  const auto disk = MakePosixFileSystem();
  SLUICE_ASSIGN(ResultOutput output, ResultOutput::Open(*disk, "-"));
  uint64_t written = 0;
  uint64_t position = 0;
  const BodyWriter writer = [&](std::span<const std::byte> bytes) -> Result<void> {
    const auto known = std::min<uint64_t>(written - position, bytes.size());
    position += bytes.size();
    written = std::max(written, position);
    const auto fresh = bytes.subspan(known);
    return output.Write({reinterpret_cast<const char*>(fresh.data()), fresh.size()});
  };
  const auto restart = [&]() -> Result<void> {
    position = 0;
    return {};
  };
  SLUICE_TRY(client.files().Download(name, kDownloadBytesMax, writer, restart,
                                     context.signals.stop_token()));
  return {};
}

void SayDownloaded(const Console& console, const std::string& name, const std::string& path,
                   uint64_t bytes) {
  const OrderedJson document = {
      {"v", 1}, {"type", "downloaded"}, {"name", name}, {"path", path}, {"bytes", bytes}};
  if (console.json) {
    console.Print(JsonLine(document, console.out));
  } else {
    console.Say(fmt::format("Wrote {}   {}\n", EscapeControls(path), FormatBytes(bytes)));
  }
}

}  // namespace

Result<int> FilesUploadCommand(const CommandContext& context) {
  const Arguments& arguments = context.arguments;
  const Console& console = context.console;
  SLUICE_ASSIGN(const std::string path, RequirePositional(arguments));
  SLUICE_TRY(RefuseCloudAddress(path));
  SLUICE_ASSIGN(const StageSource source, SourceOfArgument(path));
  SLUICE_ASSIGN(const auto client, OpenClient(context, arguments.TextOr("--mime-type", "")));
  if (arguments.Has("--dry-run")) {
    PrintDryRun(console, path, source.size);
    return 0;
  }
  const UploadOptions options{.file_id = FileId(arguments),
                              .display_name = arguments.TextOr("--display-name", ""),
                              .state_file = arguments.TextOr("--state", "")};
  const Result<UploadedFile> uploaded = UploadShown(context, *client, source, options);
  if (!uploaded.has_value()) {
    if (context.signals.received() != 0 && !options.state_file.empty()) {
      console.Say(FormatStopping(context, "what was sent is kept", 0));
    }
    return std::unexpected(uploaded.error());
  }
  console.Print(console.json ? FormatFileAsJson(uploaded->file, uploaded->sha256, console.out)
                             : uploaded->file.name + '\n');
  return 0;
}

Result<int> FilesDownloadCommand(const CommandContext& context) {
  const Arguments& arguments = context.arguments;
  SLUICE_ASSIGN(const std::string name, RequirePositional(arguments));
  const std::string path = arguments.TextOr("--output", "");
  if (path.empty()) {
    return Fail(ErrorCode::kUsage, "'files download' needs a place for the file",
                "-o FILE, or -o - for standard output");
  }
  SLUICE_TRY(RefuseCloudAddress(path));
  SLUICE_ASSIGN(const auto client, OpenClient(context));
  if (IsStandardOutput(path)) {
    SLUICE_TRY(DownloadToStandardOutput(context, *client, name));
    return 0;
  }
  SLUICE_TRY(ExpectPlaceForResult(path));
  SLUICE_ASSIGN(const uint64_t bytes,
                client->files().DownloadFile(name, path, context.signals.stop_token()));
  SayDownloaded(context.console, name, path, bytes);
  return 0;
}

}  // namespace sluice
