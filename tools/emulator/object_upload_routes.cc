#include "tools/emulator/object_upload_routes.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <vector>

#include "api/http/decimal.h"
#include "api/http/json_fields.h"
#include "io/json/json_document.h"
#include "tools/emulator/damage.h"
#include "tools/emulator/multipart.h"
#include "tools/emulator/object_resource.h"

namespace sluice {

namespace {

using OrderedJson = nlohmann::ordered_json;

// https://cloud.google.com/storage/docs/performing-resumable-uploads, 2026-11: all requests but the
// last carry a multiple of this.
constexpr uint64_t kGranularity = 262'144;
constexpr size_t kPartReadBytes = 256 << 10;
constexpr int kResumeIncomplete = 308;
constexpr int kClientClosed = 499;  // what cancelling answers with (storage-testbench)

// What the start of an upload said, as the session keeps it.
struct Intent {
  WantedObject wanted;
  ObjectConditions conditions;
};

std::expected<Intent, ClassicError> ReadIntent(const Exchange& exchange, const StoragePath& path,
                                               std::string_view resource) {
  auto wanted = ReadWantedObject(resource, path.bucket);
  if (!wanted.has_value()) {
    return std::unexpected(wanted.error());
  }
  const auto conditions = ReadConditions(exchange);
  if (!conditions.has_value()) {
    return std::unexpected(conditions.error());
  }
  if (const auto name = exchange.Query("name")) {
    wanted->object.name = *name;
  }
  if (wanted->object.name.empty()) {
    return std::unexpected(
        ClassicError{.status = 400, .reason = "required", .message = "Required"});
  }
  return Intent{.wanted = *std::move(wanted), .conditions = *conditions};
}

OrderedJson OptionalJson(const std::optional<int64_t>& number) {
  return number.has_value() ? OrderedJson(*number) : OrderedJson();
}

std::string IntentText(const Intent& intent) {
  const StoredObject& object = intent.wanted.object;
  const ObjectSums& sums = intent.wanted.sums;
  OrderedJson json = {
      {"bucket", object.bucket},
      {"name", object.name},
      {"content_type", object.content_type},
      {"content_encoding", object.content_encoding},
      {"metadata", object.metadata},
      {"generation_match", OptionalJson(intent.conditions.generation_match)},
      {"generation_not_match", OptionalJson(intent.conditions.generation_not_match)},
      {"metageneration_match", OptionalJson(intent.conditions.metageneration_match)},
      {"metageneration_not_match", OptionalJson(intent.conditions.metageneration_not_match)}};
  if (sums.crc32c.has_value()) {
    json["crc32c"] = *sums.crc32c;
  }
  json["md5"] = OrderedJson::array();
  for (const char byte : sums.md5) {
    json["md5"].push_back(static_cast<unsigned char>(byte));
  }
  return json.dump();
}

Intent ParseIntent(const std::string& text) {
  const OrderedJson json = ParseOrderedJson(text);
  Intent intent;
  StoredObject& object = intent.wanted.object;
  object.bucket = TextMember(json, "bucket");
  object.name = TextMember(json, "name");
  object.content_type = TextMember(json, "content_type");
  object.content_encoding = TextMember(json, "content_encoding");
  object.metadata = ObjectMember(json, "metadata").get<std::map<std::string, std::string>>();
  intent.conditions = {.generation_match = IntegerMember(json, "generation_match"),
                       .generation_not_match = IntegerMember(json, "generation_not_match"),
                       .metageneration_match = IntegerMember(json, "metageneration_match"),
                       .metageneration_not_match = IntegerMember(json, "metageneration_not_match")};
  if (const auto crc32c = IntegerMember(json, "crc32c")) {
    intent.wanted.sums.crc32c = static_cast<uint32_t>(*crc32c);
  }
  for (const OrderedJson& byte : json.value("md5", OrderedJson::array())) {
    intent.wanted.sums.md5 += static_cast<char>(byte.get<int>());
  }
  return intent;
}

Result<StoredObject> Store(Service& service, const Intent& intent, const std::string& path) {
  if (service.faults.Happens(Fault::kCorruptUpload)) {
    (void)FlipOneBit(service.files, path);
  }
  SLUICE_ASSIGN(StoredObject stored, service.objects.Adopt(intent.wanted.object, path,
                                                           intent.conditions, intent.wanted.sums));
  service.journal.Note("object.insert", {{"bucket", stored.bucket},
                                         {"object", stored.name},
                                         {"bytes", fmt::format("{}", stored.size)}});
  return stored;
}

StorageAnswer AnswerStored(Service& service, Exchange& exchange,
                           const Result<StoredObject>& stored) {
  if (!stored.has_value()) {
    return std::unexpected(ToClassicError(stored.error()));
  }
  if (service.faults.Happens(Fault::kUploadLost)) {
    return std::unexpected(ClassicError{
        .status = 503, .reason = "backendError", .message = "We encountered an internal error."});
  }
  return ObjectText(*stored, BaseUrl(exchange));
}

// --- all in one request

Result<void> TakeWholeBody(Service& service, Exchange& exchange, const std::string& path) {
  SLUICE_ASSIGN(const auto file, service.files.Open(path, OpenMode::kCreate));
  std::vector<std::byte> buffer(kPartReadBytes);
  while (true) {
    SLUICE_ASSIGN(const size_t count, exchange.ReadBody(buffer));
    if (count == 0) {
      return {};
    }
    SLUICE_TRY(file->Write(std::span(buffer).first(count)));
  }
}

StorageAnswer UploadMedia(Service& service, Exchange& exchange, const StoragePath& path) {
  auto intent = ReadIntent(exchange, path, "");
  if (!intent.has_value()) {
    return std::unexpected(intent.error());
  }
  if (const auto type = exchange.Header("content-type")) {
    intent->wanted.object.content_type = *type;
  }
  ReadHashHeader(exchange.Header("x-goog-hash").value_or(""), intent->wanted.sums);
  const std::string temporary = service.objects.TemporaryPath();
  const auto taken = TakeWholeBody(service, exchange, temporary);
  if (!taken.has_value()) {
    (void)service.files.Remove(temporary);
    exchange.Abort();
    return std::nullopt;
  }
  const auto stored = Store(service, *intent, temporary);
  if (!stored.has_value()) {
    (void)service.files.Remove(temporary);
  }
  return AnswerStored(service, exchange, stored);
}

StorageAnswer UploadMultipart(Service& service, Exchange& exchange, const StoragePath& path) {
  const ApiAnswer body = ReadSmallBody(service, exchange);
  if (!body.has_value()) {
    return std::unexpected(ClassicInvalid(body.error().message));
  }
  const auto parts = ParseMultipart(exchange.Header("content-type").value_or(""), *body);
  if (!parts.has_value()) {
    return std::unexpected(ClassicInvalid("Malformed multipart body."));
  }
  auto intent = ReadIntent(exchange, path, parts->metadata);
  if (!intent.has_value()) {
    return std::unexpected(intent.error());
  }
  if (!parts->media_type.empty() &&
      intent->wanted.object.content_type == StoredObject{}.content_type) {
    intent->wanted.object.content_type = parts->media_type;
  }
  return AnswerStored(service, exchange,
                      service.objects.Put(intent->wanted.object, parts->bytes, intent->conditions,
                                          intent->wanted.sums));
}

// --- through a session

StorageAnswer StartSession(Service& service, Exchange& exchange, const StoragePath& path) {
  const ApiAnswer body = ReadSmallBody(service, exchange);
  if (!body.has_value()) {
    return std::unexpected(ClassicInvalid(body.error().message));
  }
  auto intent = ReadIntent(exchange, path, *body);
  if (!intent.has_value()) {
    return std::unexpected(intent.error());
  }
  if (const auto type = exchange.Header("x-upload-content-type")) {
    intent->wanted.object.content_type = *type;
  }
  if (!service.objects.HasBucket(path.bucket)) {
    return std::unexpected(ClassicNotFound("The specified bucket does not exist."));
  }
  // Told at once, and again when the bytes are there.
  if (!intent->conditions.Hold(service.objects.Find(path.bucket, intent->wanted.object.name))) {
    return std::unexpected(ToClassicError(
        {.code = ErrorCode::kConflict,
         .message = "At least one of the pre-conditions you specified did not hold."}));
  }
  auto upload = std::make_shared<Upload>();
  upload->about = IntentText(*intent);
  upload->declared_size =
      ParseDecimal<uint64_t>(exchange.Header("x-upload-content-length").value_or(""));
  const auto started = service.object_uploads.Start(upload);
  if (!started.has_value()) {
    return std::unexpected(ToClassicError(started.error()));
  }
  exchange.Respond(200,
                   {{"Location", fmt::format("{}{}?uploadType=resumable&upload_id={}",
                                             BaseUrl(exchange), exchange.path(), (*started)->id)},
                    {"X-GUploader-UploadID", (*started)->id},
                    {"Server", "sluice"}},
                   "");
  return std::nullopt;
}

StorageAnswer SendText(Exchange& exchange, int status, std::string_view text,
                       HttpHeaders headers = {}) {
  headers.insert(headers.end(),
                 {{"Content-Type", "text/plain; charset=utf-8"}, {"Server", "sluice"}});
  exchange.Respond(status, headers, text);
  return std::nullopt;
}

StorageAnswer SendIncomplete(Exchange& exchange, const Upload& upload) {
  HttpHeaders headers;
  if (upload.received > 0) {
    headers.emplace_back("Range", fmt::format("bytes=0-{}", upload.received - 1));
  }
  return SendText(exchange, kResumeIncomplete, "", std::move(headers));
}

// "bytes A-B/T" and its kin: what of the object this request carries.
struct Piece {
  std::optional<uint64_t> begin;  // absent in a question: "bytes */T"
  std::optional<uint64_t> total;  // absent: "*"
  bool to_the_end = false;        // "bytes A-*/T", or no Content-Range at all
};

std::optional<Piece> ParsePiece(const std::optional<std::string>& header,
                                const std::optional<uint64_t>& length) {
  constexpr std::string_view kUnit = "bytes ";
  if (!header.has_value()) {
    return Piece{.begin = 0, .total = length, .to_the_end = true};
  }
  const size_t slash = header->find('/');
  if (!header->starts_with(kUnit) || slash == std::string::npos) {
    return std::nullopt;
  }
  const std::string range = header->substr(kUnit.size(), slash - kUnit.size());
  Piece piece{.begin = {}, .total = ParseDecimal<uint64_t>(header->substr(slash + 1))};
  if (!piece.total.has_value() && header->substr(slash + 1) != "*") {
    return std::nullopt;
  }
  if (range == "*") {
    return piece;
  }
  piece.begin = ParseDecimal<uint64_t>(range.substr(0, range.find('-')));
  piece.to_the_end = range.ends_with("-*");
  return piece.begin.has_value() ? std::optional(piece) : std::nullopt;
}

enum class Taken { kWhole, kBroken };

// Bytes that are there already are passed over without a look, as the service does.
Result<Taken> TakeBody(Service& service, Exchange& exchange, Upload& upload, uint64_t begin) {
  SLUICE_ASSIGN(const auto data, service.object_uploads.OpenData(upload));
  std::vector<std::byte> buffer(kPartReadBytes);
  const uint64_t cut_at = service.faults.Number(Fault::kCutUpload);
  uint64_t known = upload.received - begin;
  uint64_t taken = 0;
  while (true) {
    const uint64_t until_cut = cut_at > taken ? cut_at - taken : kPartReadBytes;
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(kPartReadBytes, until_cut));
    const Result<size_t> count = exchange.ReadBody(std::span(buffer).first(wanted));
    if (!count.has_value() || *count == 0) {
      return count.has_value() ? Taken::kWhole : Taken::kBroken;
    }
    const size_t skipped = static_cast<size_t>(std::min<uint64_t>(known, *count));
    known -= skipped;
    SLUICE_TRY(service.object_uploads.Append(upload, *data,
                                             std::span(buffer).first(*count).subspan(skipped)));
    taken += *count;
    if (taken == cut_at && service.faults.Happens(Fault::kCutUpload)) {
      return Taken::kBroken;
    }
  }
}

StorageAnswer Finish(Service& service, Exchange& exchange, Upload& upload) {
  Intent intent = ParseIntent(upload.about);
  ReadHashHeader(exchange.Header("x-goog-hash").value_or(""), intent.wanted.sums);
  const auto stored = Store(service, intent, service.object_uploads.DataPath(upload));
  if (stored.has_value()) {
    intent.conditions = {.generation_match = stored->generation,
                         .generation_not_match = {},
                         .metageneration_match = {},
                         .metageneration_not_match = {}};
    upload.about = IntentText(intent);
  } else {
    (void)service.files.Remove(service.object_uploads.DataPath(upload));
  }
  upload.state = stored.has_value() ? UploadState::kFinal : UploadState::kCancelled;
  (void)service.object_uploads.Save(upload);
  return AnswerStored(service, exchange, stored);
}

StorageAnswer AnswerFinal(Service& service, Exchange& exchange, const Upload& upload) {
  const Intent intent = ParseIntent(upload.about);
  const auto object = service.objects.Find(intent.wanted.object.bucket, intent.wanted.object.name);
  if (!object.has_value() || !intent.conditions.Hold(object)) {
    return SendText(exchange, 404, "The object is no longer there.\n");
  }
  return ObjectText(*object, BaseUrl(exchange));
}

StorageAnswer TakePiece(Service& service, Exchange& exchange, Upload& upload, const Piece& piece) {
  if (*piece.begin > upload.received) {
    return std::unexpected(ClassicInvalid(
        fmt::format("Invalid request. According to the Content-Range header, the upload offset is "
                    "{} byte(s), which exceeds already uploaded size of {} byte(s).",
                    *piece.begin, upload.received)));
  }
  const auto length = ParseDecimal<uint64_t>(exchange.Header("content-length").value_or(""));
  const bool is_last = piece.to_the_end || (piece.total.has_value() && length.has_value() &&
                                            *piece.begin + *length == *piece.total);
  if (!is_last && length.value_or(0) % kGranularity != 0) {
    return std::unexpected(
        ClassicInvalid("Invalid request. The number of bytes uploaded is "
                       "required to be equal or greater than 262144, except "
                       "for the final request."));
  }
  const uint64_t before = upload.received;
  const Result<Taken> taken = TakeBody(service, exchange, upload, *piece.begin);
  if (!taken.has_value()) {
    return std::unexpected(ToClassicError(taken.error()));
  }
  if (*taken == Taken::kBroken) {
    exchange.Abort();
    return std::nullopt;
  }
  if (upload.received > before + kGranularity && service.faults.Happens(Fault::kKeepLess)) {
    const uint64_t kept = (before + upload.received) / 2 / kGranularity * kGranularity;
    (void)service.object_uploads.Truncate(upload, std::max(before, kept));
    return SendIncomplete(exchange, upload);
  }
  const uint64_t total = piece.total.value_or(piece.to_the_end ? upload.received : UINT64_MAX);
  return upload.received >= total ? Finish(service, exchange, upload)
                                  : SendIncomplete(exchange, upload);
}

StorageAnswer AnswerSession(Service& service, Exchange& exchange, const std::string& id) {
  const std::shared_ptr<Upload> upload = service.object_uploads.Find(id);
  if (upload == nullptr) {
    return SendText(exchange, 404, "Not Found\n");
  }
  const std::scoped_lock lock(upload->mutex);
  const bool ended = service.faults.Happens(Fault::kUploadEnded);
  if (ended || service.faults.Happens(Fault::kUploadGone)) {
    service.object_uploads.Forget(id);
    return SendText(exchange, ended ? 410 : 404, "The upload is no longer there.\n");
  }
  if (exchange.method() == "DELETE") {
    service.object_uploads.Forget(id);
    return SendText(exchange, kClientClosed, "");
  }
  if (upload->state == UploadState::kFinal) {
    return AnswerFinal(service, exchange, *upload);
  }
  if (upload->state == UploadState::kCancelled) {
    return SendText(exchange, 410, "The upload was refused.\n");
  }
  const auto piece =
      ParsePiece(exchange.Header("content-range"),
                 ParseDecimal<uint64_t>(exchange.Header("content-length").value_or("")));
  if (!piece.has_value()) {
    return std::unexpected(ClassicInvalid("Failed to parse Content-Range header."));
  }
  if (piece->begin.has_value()) {
    return TakePiece(service, exchange, *upload, *piece);
  }
  return piece->total == upload->received ? Finish(service, exchange, *upload)
                                          : SendIncomplete(exchange, *upload);
}

}  // namespace

StorageAnswer AnswerObjectUpload(Service& service, Exchange& exchange, const StoragePath& path) {
  if (const auto id = exchange.Query("upload_id")) {
    return AnswerSession(service, exchange, *id);
  }
  const std::string type = exchange.Query("uploadType").value_or("");
  if (exchange.method() != "POST") {
    return std::unexpected(ClassicNotFound("Not Found"));
  }
  if (type == "media") {
    return UploadMedia(service, exchange, path);
  }
  if (type == "multipart") {
    return UploadMultipart(service, exchange, path);
  }
  if (type == "resumable") {
    return StartSession(service, exchange, path);
  }
  return std::unexpected(ClassicInvalid("Invalid upload request: uploadType is missing."));
}

}  // namespace sluice
