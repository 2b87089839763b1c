#include "tools/emulator/file_routes.h"

#include <algorithm>
#include <fmt/format.h>

#include "tools/emulator/byte_range.h"

namespace sluice {

namespace {

// https://ai.google.dev/api/files, 2026-11.
constexpr size_t kFileIdMax = 40;
constexpr size_t kFilePageDefault = 10;

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

}  // namespace

RouteAnswer ListFiles(Service& service, Call& call) {
  const auto count = PageSize(call.exchange, kFilePageDefault);
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
  SendBytes(service, call.exchange, {{"Content-Type", "application/octet-stream"}}, **bytes,
            file->size);
  return std::nullopt;
}

}  // namespace sluice
