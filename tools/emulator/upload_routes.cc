#include "tools/emulator/upload_routes.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <vector>

#include "api/http/decimal.h"
#include "io/json/json_text.h"
#include "tools/emulator/damage.h"
#include "tools/emulator/json_field.h"
#include "tools/emulator/multipart.h"
#include "tools/emulator/random_id.h"

namespace sluice {

namespace {

using OrderedJson = nlohmann::ordered_json;

// Seen on the wire, 2026-08: all but the last request of an upload carry a multiple of this.
constexpr uint64_t kGranularity = 8'388'608;
constexpr size_t kChunkReadBytes = 256 << 10;
constexpr size_t kFileIdLength = 12;
// https://ai.google.dev/api/files, 2026-11.
constexpr size_t kFileIdMax = 40;
constexpr size_t kDisplayNameMax = 512;

// What X-Goog-Upload-Command asks for; several at once are separated by commas.
struct Commands {
  bool start = false;
  bool upload = false;
  bool finalize = false;
  bool query = false;
  bool cancel = false;
};

std::string LowerWord(std::string_view text) {
  std::string word;
  for (const char c : text) {
    if (c != ' ' && c != '\t') {
      word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  return word;
}

Commands ParseCommands(std::string_view header) {
  Commands commands;
  while (!header.empty()) {
    const std::string_view piece = header.substr(0, header.find(','));
    header.remove_prefix(std::min(header.size(), piece.size() + 1));
    const std::string word = LowerWord(piece);
    commands.start |= word == "start";
    commands.upload |= word == "upload";
    commands.finalize |= word == "finalize";
    commands.query |= word == "query";
    commands.cancel |= word == "cancel";
  }
  return commands;
}

bool IsFileId(std::string_view id) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !id.empty() && id.size() <= kFileIdMax && std::ranges::all_of(id, allowed) &&
         !id.starts_with('-') && !id.ends_with('-');
}

// The answers of the upload server itself are plain text.
RouteAnswer SendText(Call& call, int status, std::string_view upload_status, std::string_view text,
                     HttpHeaders more = {}) {
  HttpHeaders headers = {{"Content-Type", "text/plain; charset=utf-8"}, {"Server", "sluice"}};
  if (!upload_status.empty()) {
    headers.emplace_back("X-Goog-Upload-Status", upload_status);
  }
  headers.insert(headers.end(), more.begin(), more.end());
  call.exchange.Respond(status, headers, text);
  return std::nullopt;
}

RouteAnswer SendFinal(Call& call, const StoredFile& file) {
  call.exchange.Respond(
      200,
      {{"Content-Type", "application/json; charset=UTF-8"},
       {"Server", "sluice"},
       {"X-Goog-Upload-Status", "final"}},
      FormatJson(call.exchange, fmt::format("{{\"file\":{}}}", FileText(file, call.base_url))));
  return std::nullopt;
}

// A refusal that ends the upload.
RouteAnswer SendRejected(Call& call, const ApiError& error) {
  call.exchange.Respond(HttpStatus(error.code),
                        {{"Content-Type", "application/json; charset=UTF-8"},
                         {"Server", "sluice"},
                         {"X-Goog-Upload-Status", "final"}},
                        FormatJson(call.exchange, ErrorBody(error)));
  return std::nullopt;
}

// The `file` object of a start request, checked.
std::expected<std::shared_ptr<Upload>, ApiError> ReadStart(std::string_view body) {
  auto upload = std::make_shared<Upload>();
  upload->file_id = RandomId(kFileIdLength);
  if (body.empty()) {
    return upload;
  }
  SLUICE_ASSIGN(const OrderedJson json, ParseMessage<OrderedJson>(body));
  if (const auto unknown = UnknownField(json, {"file"})) {
    return std::unexpected(UnknownName(*unknown, ""));
  }
  const OrderedJson* file = FindField(json, "file");
  if (file == nullptr || !file->is_object()) {
    return upload;
  }
  if (const auto unknown =
          UnknownField(*file, {"name", "displayName", "mimeType", "sizeBytes", "createTime",
                               "updateTime", "expirationTime", "sha256Hash", "uri", "downloadUri",
                               "state", "source", "error", "videoMetadata"})) {
    return std::unexpected(UnknownName(*unknown, "file"));
  }
  upload->display_name = StringField(*file, "displayName");
  upload->mime_type = StringField(*file, "mimeType");
  const std::string name = StringField(*file, "name");
  if (!name.empty()) {
    upload->file_id = name.starts_with("files/") ? name.substr(6) : name;
  }
  if (!IsFileId(upload->file_id) || upload->display_name.size() > kDisplayNameMax) {
    return std::unexpected(InvalidArgument(
        "* CreateFileRequest.file: the name has up to 40 lowercase letters, digits and dashes, no "
        "dash at either end; the display name up to 512 characters.\n"));
  }
  return upload;
}

ApiError AlreadyExists(const std::string& file_id) {
  return {.code = RpcCode::kAlreadyExists,
          .message = fmt::format("File files/{} already exists.", file_id)};
}

RouteAnswer StartUpload(Service& service, Call& call) {
  const ApiAnswer body = ReadSmallBody(service, call.exchange);
  if (!body.has_value()) {
    return body;
  }
  auto upload = ReadStart(*body);
  if (!upload.has_value()) {
    return std::unexpected(upload.error());
  }
  (*upload)->declared_size =
      call.exchange.Header("x-goog-upload-header-content-length").and_then(ParseDecimal<uint64_t>);
  if ((*upload)->declared_size.value_or(0) > service.options.file_bytes_max) {
    return std::unexpected(InvalidArgument("The file is larger than the service takes."));
  }
  if ((*upload)->mime_type.empty()) {
    (*upload)->mime_type = call.exchange.Header("x-goog-upload-header-content-type")
                               .value_or("application/octet-stream");
  }
  if (FindInvalidUtf8((*upload)->mime_type).has_value()) {
    return std::unexpected(InvalidArgument("The MIME type is not text."));
  }
  if (service.store.Find((*upload)->file_id).has_value()) {
    return std::unexpected(AlreadyExists((*upload)->file_id));
  }
  const auto started = service.uploads.Start(*upload);
  if (!started.has_value()) {
    return std::unexpected(ToApiError(started.error()));
  }
  const std::string url = fmt::format("{}{}?upload_id={}&upload_protocol=resumable", call.base_url,
                                      call.exchange.path(), (*started)->id);
  return SendText(call, 200, "active", "",
                  {{"X-Goog-Upload-URL", url},
                   {"X-Goog-Upload-Control-URL", url},
                   {"X-Goog-Upload-Chunk-Granularity", fmt::format("{}", kGranularity)},
                   {"X-GUploader-UploadID", (*started)->id}});
}

RouteAnswer AnswerQuery(Service& service, Call& call, const Upload& upload) {
  if (upload.state == UploadState::kCancelled) {
    return SendText(call, 410, "cancelled", "The upload was cancelled.\n");
  }
  if (upload.state == UploadState::kFinal) {
    const auto file = service.store.Find(upload.file_id);
    return file.has_value() ? SendFinal(call, *file)
                            : SendText(call, 404, "", "The file is no longer there.\n");
  }
  return SendText(call, 200, "active", "",
                  {{"X-Goog-Upload-Size-Received", fmt::format("{}", upload.received)},
                   {"X-Goog-Upload-Chunk-Granularity", fmt::format("{}", kGranularity)}});
}

Result<void> Close(Service& service, Upload& upload) {
  upload.state = UploadState::kCancelled;
  SLUICE_TRY(service.uploads.Save(upload));
  return service.files.Remove(service.uploads.DataPath(upload));
}

RouteAnswer CancelUpload(Service& service, Call& call, Upload& upload) {
  if (upload.state == UploadState::kFinal) {
    return SendText(call, 400, "final", "The upload is finalized.\n");
  }
  if (const auto closed = Close(service, upload); !closed.has_value()) {
    return std::unexpected(ToApiError(closed.error()));
  }
  return SendText(call, 200, "cancelled", "");
}

// What became of the body of a send request.
enum class Taken { kWhole, kBroken, kCut, kTooLarge };

Result<Taken> TakeBody(Service& service, Call& call, Upload& upload) {
  SLUICE_ASSIGN(const auto data, service.uploads.OpenData(upload));
  std::vector<std::byte> buffer(kChunkReadBytes);
  const uint64_t cut_at = service.faults.Number(Fault::kCutUpload);
  uint64_t taken = 0;
  while (true) {
    const uint64_t until_cut = cut_at > taken ? cut_at - taken : kChunkReadBytes;
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(kChunkReadBytes, until_cut));
    const Result<size_t> count = call.exchange.ReadBody(std::span(buffer).first(wanted));
    if (!count.has_value() || *count == 0) {
      return count.has_value() ? Taken::kWhole : Taken::kBroken;
    }
    if (upload.received + *count > service.options.file_bytes_max) {
      return Taken::kTooLarge;
    }
    SLUICE_TRY(service.uploads.Append(upload, *data, std::span(buffer).first(*count)));
    taken += *count;
    if (taken == cut_at && service.faults.Happens(Fault::kCutUpload)) {
      return Taken::kCut;
    }
  }
}

// Keeps of a broken request what the service would keep.
RouteAnswer LeaveBroken(Service& service, Call& call, Upload& upload) {
  if (service.faults.Happens(Fault::kKeepWholeChunks)) {
    (void)service.uploads.Truncate(upload, upload.received / kGranularity * kGranularity);
  }
  call.exchange.Abort();
  return std::nullopt;
}

// Why an upload cannot become a file.
std::optional<ApiError> Refusal(Service& service, const Upload& upload) {
  if (upload.mime_type == service.faults.Word(Fault::kMimeRefused) &&
      service.faults.Happens(Fault::kMimeRefused)) {
    return InvalidArgument(fmt::format("Unsupported MIME type: {}", upload.mime_type));
  }
  if (upload.received == 0) {
    return InvalidArgument("The file is empty.");
  }
  if (upload.declared_size.value_or(upload.received) != upload.received) {
    return InvalidArgument(fmt::format("{} bytes were announced and {} came.",
                                       *upload.declared_size, upload.received));
  }
  if (service.store.Find(upload.file_id).has_value()) {
    return AlreadyExists(upload.file_id);
  }
  if (service.store.UploadedBytes() + upload.received > service.options.store_bytes_max) {
    return ApiError{.code = RpcCode::kResourceExhausted,
                    .message = "You have exceeded your file storage quota."};
  }
  return std::nullopt;
}

Result<StoredFile> MakeFile(Service& service, Upload& upload) {
  SLUICE_ASSIGN(StoredFile file, service.store.Adopt({.id = upload.file_id,
                                                      .display_name = upload.display_name,
                                                      .mime_type = upload.mime_type,
                                                      .registered = upload.registered},
                                                     service.uploads.DataPath(upload)));
  upload.state = UploadState::kFinal;
  (void)service.uploads.Save(upload);
  service.journal.Note("upload.finalize", {{"file", "files/" + file.id},
                                           {"displayName", file.display_name},
                                           {"bytes", fmt::format("{}", file.size)}});
  return file;
}

RouteAnswer Finalize(Service& service, Call& call, Upload& upload) {
  if (const auto refusal = Refusal(service, upload)) {
    (void)Close(service, upload);
    return SendRejected(call, *refusal);
  }
  if (service.faults.Happens(Fault::kCorruptUpload)) {
    (void)FlipOneBit(service.files, service.uploads.DataPath(upload));
  }
  const Result<StoredFile> file = MakeFile(service, upload);
  return file.has_value() ? SendFinal(call, *file) : std::unexpected(ToApiError(file.error()));
}

// Why the bytes that are coming cannot be taken; the answer was then sent.
bool RefuseBytes(Service& service, Call& call, const Upload& upload, bool finalize) {
  const uint64_t offset =
      call.exchange.Header("x-goog-upload-offset").and_then(ParseDecimal<uint64_t>).value_or(0);
  if (offset != upload.received || service.faults.Happens(Fault::kChunkOffset409)) {
    SendText(call, 409, "active",
             fmt::format("The offset is {}, {} bytes were received.\n", offset, upload.received));
    return true;
  }
  const auto length = call.exchange.Header("content-length").and_then(ParseDecimal<uint64_t>);
  // After a broken request an upload goes on at any byte; it is back in step where that many bytes
  // end at a multiple.
  if (!finalize && length.has_value() && *length % kGranularity != 0 &&
      (offset + *length) % kGranularity != 0) {
    SendText(call, 400, "active",
             fmt::format("{} bytes are not a multiple of {}.\n", *length, kGranularity));
    return true;
  }
  return false;
}

RouteAnswer SendBytes(Service& service, Call& call, Upload& upload, const Commands& commands) {
  if (upload.state != UploadState::kActive) {
    return SendText(call, 400, upload.state == UploadState::kFinal ? "final" : "cancelled",
                    "The upload is closed.\n");
  }
  if (commands.upload) {
    if (RefuseBytes(service, call, upload, commands.finalize)) {
      return std::nullopt;
    }
    const Result<Taken> taken = TakeBody(service, call, upload);
    if (!taken.has_value()) {
      return std::unexpected(ToApiError(taken.error()));
    }
    if (*taken == Taken::kTooLarge) {
      (void)Close(service, upload);
      return SendRejected(call, InvalidArgument("The file is larger than the service takes."));
    }
    if (*taken != Taken::kWhole) {
      return LeaveBroken(service, call, upload);
    }
  }
  if (commands.finalize) {
    return Finalize(service, call, upload);
  }
  const bool has_status = !service.faults.Happens(Fault::kChunkNoStatus);
  return SendText(call, 200, has_status ? "active" : "", "");
}

// A new upload that holds `bytes`.
Result<void> Keep(Service& service, const std::shared_ptr<Upload>& upload,
                  std::span<const std::byte> bytes) {
  SLUICE_TRY(service.uploads.Start(upload));
  SLUICE_ASSIGN(const auto data, service.uploads.OpenData(*upload));
  return service.uploads.Append(*upload, *data, bytes);
}

std::expected<std::vector<std::string>, ApiError> ReadUris(std::string_view body) {
  SLUICE_ASSIGN(const OrderedJson json, ParseMessage<OrderedJson>(body));
  if (const auto unknown = UnknownField(json, {"uris"})) {
    return std::unexpected(UnknownName(*unknown, ""));
  }
  const OrderedJson* uris = FindField(json, "uris");
  std::vector<std::string> read;
  for (const OrderedJson* uri :
       uris != nullptr ? Elements(*uris) : std::vector<const OrderedJson*>()) {
    read.push_back(uri->is_string() ? uri->get<std::string>() : "");
  }
  const auto is_object = [](const std::string& uri) { return uri.starts_with("gs://"); };
  if (read.empty() || !std::ranges::all_of(read, is_object)) {
    return std::unexpected(
        InvalidArgument("* RegisterFilesRequest.uris: each is gs://BUCKET/OBJECT\n"));
  }
  return read;
}

RouteAnswer UploadMultipart(Service& service, Call& call) {
  const ApiAnswer body = ReadSmallBody(service, call.exchange);
  if (!body.has_value()) {
    return body;
  }
  const auto parts = ParseMultipart(call.exchange.Header("content-type").value_or(""), *body);
  if (!parts.has_value()) {
    return std::unexpected(InvalidArgument("The body is not multipart/related of two parts."));
  }
  auto upload = ReadStart(parts->metadata);
  if (!upload.has_value()) {
    return std::unexpected(upload.error());
  }
  if ((*upload)->mime_type.empty()) {
    (*upload)->mime_type = parts->media_type;
  }
  if (const auto kept = Keep(service, *upload, AsBytes(parts->bytes)); !kept.has_value()) {
    return std::unexpected(ToApiError(kept.error()));
  }
  return Finalize(service, call, **upload);
}

}  // namespace

RouteAnswer CreateFile(Service& service, Call& call) {
  const ApiAnswer body = ReadSmallBody(service, call.exchange);
  if (!body.has_value()) {
    return body;
  }
  const auto upload = ReadStart(*body);
  if (!upload.has_value()) {
    return std::unexpected(upload.error());
  }
  if (service.store.Find((*upload)->file_id).has_value()) {
    return std::unexpected(AlreadyExists((*upload)->file_id));
  }
  const auto kept = Keep(service, *upload, {});
  const auto file = kept.has_value() ? MakeFile(service, **upload) : std::unexpected(kept.error());
  return file.has_value()
             ? RouteAnswer(fmt::format("{{\"file\":{}}}", FileText(*file, call.base_url)))
             : std::unexpected(ToApiError(file.error()));
}

RouteAnswer RegisterFiles(Service& service, Call& call) {
  if (!call.exchange.Header("authorization").value_or("").starts_with("Bearer ")) {
    return std::unexpected(ApiError{
        .code = RpcCode::kUnauthenticated,
        .message = "API keys are not supported by this API. Expected OAuth2 access token or other "
                   "authentication credentials that assert a principal."});
  }
  const ApiAnswer body = ReadSmallBody(service, call.exchange);
  if (!body.has_value()) {
    return body;
  }
  const auto uris = ReadUris(*body);
  if (!uris.has_value()) {
    return std::unexpected(uris.error());
  }
  std::string list;
  for (const std::string& uri : *uris) {
    const auto upload = std::make_shared<Upload>();
    upload->file_id = RandomId(kFileIdLength);
    upload->display_name = uri.substr(uri.rfind('/') + 1);
    upload->registered = true;
    const auto kept = Keep(service, upload, {});
    const auto file = kept.has_value() ? MakeFile(service, *upload) : std::unexpected(kept.error());
    if (!file.has_value()) {
      return std::unexpected(ToApiError(file.error()));
    }
    list += (list.empty() ? "" : ",") + FileText(*file, call.base_url);
  }
  return fmt::format("{{\"files\":[{}]}}", list);
}

RouteAnswer HandleUpload(Service& service, Call& call) {
  const Commands commands =
      ParseCommands(call.exchange.Header("x-goog-upload-command").value_or(""));
  const auto upload_id = call.exchange.Query("upload_id");
  if (!upload_id.has_value() &&
      call.exchange.Header("x-goog-upload-protocol").value_or("") == "multipart") {
    return UploadMultipart(service, call);
  }
  if (!upload_id.has_value()) {
    return commands.start
               ? StartUpload(service, call)
               : std::unexpected(InvalidArgument("X-Goog-Upload-Command: start or "
                                                 "X-Goog-Upload-Protocol: multipart is needed."));
  }
  const std::shared_ptr<Upload> upload = service.uploads.Find(*upload_id);
  if (upload == nullptr) {
    return SendText(call, 404, "", "There is no such upload.\n");
  }
  const std::scoped_lock lock(upload->mutex);
  if (service.faults.Happens(Fault::kUploadGone)) {
    service.uploads.Forget(*upload_id);
    return SendText(call, 404, "", "There is no such upload.\n");
  }
  if (commands.query) {
    return AnswerQuery(service, call, *upload);
  }
  if (commands.cancel) {
    return CancelUpload(service, call, *upload);
  }
  if (commands.upload || commands.finalize) {
    return SendBytes(service, call, *upload, commands);
  }
  return SendText(call, 400, "", "X-Goog-Upload-Command names nothing to do.\n");
}

}  // namespace sluice
