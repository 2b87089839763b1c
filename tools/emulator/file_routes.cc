#include "tools/emulator/file_routes.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace sluice {

namespace {

// https://ai.google.dev/api/files, 2026-11.
constexpr size_t kFileIdMax = 40;
constexpr size_t kPageDefault = 10;

// The service says the same of a file that never was, was deleted, expired or is another's.
ApiError NoSuchFile(const std::string& id) {
  return {.code = RpcCode::kPermissionDenied,
          .message = fmt::format(
              "You do not have permission to access the File {} or it may not exist.", id)};
}

std::optional<ApiError> CheckId(const std::string& id, std::string_view request) {
  if (id.size() <= kFileIdMax) {
    return std::nullopt;
  }
  return InvalidArgument(fmt::format(
      "* {}.name: File ID (name excluding 'files/') cannot be more than {} characters.\n", request,
      kFileIdMax));
}

// The bytes of a file that a Range header asks for; `last` is the last one's offset.
struct ByteRange {
  uint64_t first = 0;
  uint64_t last = 0;
};

std::optional<uint64_t> ParseOffset(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value)
                                                                  : std::nullopt;
}

// "bytes=5-" and "bytes=5-9"; anything else counts as no Range at all.
std::optional<ByteRange> ParseRange(std::string_view header, uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  const size_t dash = header.find('-');
  if (!header.starts_with(kUnit) || dash == std::string_view::npos) {
    return std::nullopt;
  }
  const auto first = ParseOffset(header.substr(kUnit.size(), dash - kUnit.size()));
  const std::string_view last_text = header.substr(dash + 1);
  const auto last = last_text.empty() ? std::optional(UINT64_MAX) : ParseOffset(last_text);
  if (!first.has_value() || !last.has_value() || *last < *first) {
    return std::nullopt;
  }
  return ByteRange{.first = *first, .last = std::min(*last, std::max<uint64_t>(size, 1) - 1)};
}

std::optional<ByteRange> WantedRange(Service& service, const Call& call, uint64_t size) {
  const auto header = call.exchange.Header("range");
  if (!header.has_value() || service.faults.Happens(Fault::kRangeIgnored)) {
    return std::nullopt;
  }
  std::optional<ByteRange> range = ParseRange(*header, size);
  if (range.has_value() && range->first < range->last &&
      service.faults.Happens(Fault::kRangeWrong)) {
    ++range->first;
  }
  return range;
}

void SendBytes(Service& service, Call& call, const StoredFile& file, File& bytes) {
  const std::optional<ByteRange> range = WantedRange(service, call, file.size);
  HttpHeaders headers = {{"Content-Type", "application/octet-stream"},
                         {"Accept-Ranges", "bytes"},
                         {"Server", "sluice"}};
  if (range.has_value() && range->first >= file.size) {
    headers.emplace_back("Content-Range", fmt::format("bytes */{}", file.size));
    call.exchange.Respond(416, headers, "");
    return;
  }
  uint64_t offset = range.has_value() ? range->first : 0;
  const uint64_t end = range.has_value() ? range->last + 1 : file.size;
  if (range.has_value()) {
    headers.emplace_back("Content-Range",
                         fmt::format("bytes {}-{}/{}", offset, range->last, file.size));
  }
  if (service.faults.Happens(Fault::kCutDownload)) {
    call.exchange.CutAnswerAfter((end - offset) / 2);
  }
  call.exchange.RespondStream(
      range.has_value() ? 206 : 200, headers, end - offset,
      [&](std::span<std::byte> buffer) -> Result<size_t> {
        const size_t wanted = static_cast<size_t>(std::min<uint64_t>(buffer.size(), end - offset));
        SLUICE_ASSIGN(const size_t count, bytes.ReadAt(offset, buffer.first(wanted)));
        offset += count;
        return count;
      });
}

}  // namespace

RouteAnswer ListFiles(Service& service, Call& call) {
  const auto count = PageSize(call.exchange, kPageDefault);
  const auto start = PageStart(call.exchange);
  if (!count.has_value() || !start.has_value()) {
    return std::unexpected(count.has_value() ? start.error() : count.error());
  }
  std::vector<StoredFile> files = service.store.List();
  std::erase_if(files, [&](const StoredFile& file) { return file.create_ns >= *start; });
  if (files.empty()) {
    return "{}";
  }
  std::string list;
  const size_t shown = std::min(files.size(), *count);
  for (const StoredFile& file : std::span(files).first(shown)) {
    list += list.empty() ? "" : ",";
    list += FileText(file, call.base_url);
  }
  const std::string token =
      shown < files.size()
          ? fmt::format(",\"nextPageToken\":\"{}\"", PageToken(files[shown - 1].create_ns))
          : "";
  return fmt::format("{{\"files\":[{}]{}}}", list, token);
}

RouteAnswer GetFile(Service& service, Call& call) {
  if (auto refusal = CheckId(call.id, "GetFileRequest")) {
    return std::unexpected(*std::move(refusal));
  }
  const auto file = service.store.Find(call.id);
  if (!file.has_value()) {
    return std::unexpected(NoSuchFile(call.id));
  }
  return FileText(*file, call.base_url);
}

RouteAnswer DeleteFile(Service& service, Call& call) {
  if (auto refusal = CheckId(call.id, "DeleteFileRequest")) {
    return std::unexpected(*std::move(refusal));
  }
  const Result<bool> removed = service.store.Remove(call.id);
  if (!removed.has_value()) {
    return std::unexpected(ToApiError(removed.error()));
  }
  if (!*removed) {
    return std::unexpected(NoSuchFile(call.id));
  }
  service.journal.Note("file.delete", {{"file", "files/" + call.id}});
  return "{}";
}

RouteAnswer DownloadFile(Service& service, Call& call) {
  const auto file = service.store.Find(call.id);
  if (!file.has_value()) {
    return std::unexpected(NoSuchFile(call.id));
  }
  if (!file->generated) {
    return std::unexpected(InvalidArgument(
        fmt::format("File {} was uploaded; only generated files can be downloaded.", call.id)));
  }
  const auto bytes = service.files.Open(service.store.DataPath(file->id), OpenMode::kRead);
  if (!bytes.has_value()) {
    return std::unexpected(ToApiError(bytes.error()));
  }
  service.journal.Note("download", {{"file", "files/" + call.id}});
  SendBytes(service, call, *file, **bytes);
  return std::nullopt;
}

}  // namespace sluice
