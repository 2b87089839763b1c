#include "tools/emulator/storage_routes.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/http/decimal.h"
#include "io/json/base64.h"
#include "tools/emulator/byte_range.h"
#include "tools/emulator/classic_routes.h"
#include "tools/emulator/json_field.h"
#include "tools/emulator/object_resource.h"
#include "tools/emulator/object_upload_routes.h"

namespace sluice {

namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr size_t kPageMax = 1000;
constexpr size_t kComposedMax = 32;
constexpr int kNotModified = 304;
constexpr std::string_view kBucketsRoot = "/storage/v1/b";

std::optional<StoragePath> ParseStoragePath(std::string_view path) {
  StoragePath parsed;
  for (const std::string_view prefix : {"upload", "download"}) {
    if (path.starts_with('/') && path.substr(1).starts_with(prefix)) {
      parsed.prefix = prefix;
      path.remove_prefix(prefix.size() + 1);
    }
  }
  if (!path.starts_with(kBucketsRoot) ||
      (path.size() > kBucketsRoot.size() && path[kBucketsRoot.size()] != '/')) {
    return std::nullopt;
  }
  path.remove_prefix(kBucketsRoot.size());
  parsed.bucket = TakeSegment(path);
  const std::string collection = TakeSegment(path);
  parsed.in_objects = collection == "o";
  parsed.object = TakeSegment(path);
  parsed.verb = TakeSegment(path);
  return path.empty() && (collection.empty() || parsed.in_objects) ? std::optional(parsed)
                                                                   : std::nullopt;
}

std::string BucketText(const std::string& bucket, const std::string& base_url) {
  return OrderedJson{{"kind", "storage#bucket"},
                     {"id", bucket},
                     {"selfLink", fmt::format("{}{}/{}", base_url, kBucketsRoot, bucket)},
                     {"name", bucket},
                     {"projectNumber", "100000000000"},
                     {"metageneration", "1"},
                     {"location", "US-CENTRAL1"},
                     {"storageClass", "STANDARD"},
                     {"etag", "CAE="},
                     {"timeCreated", "2026-01-01T00:00:00.000Z"},
                     {"updated", "2026-01-01T00:00:00.000Z"}}
      .dump();
}

std::unexpected<ClassicError> NoSuchBucket() {
  return std::unexpected(ClassicNotFound("The specified bucket does not exist."));
}

std::unexpected<ClassicError> NoSuchObject(const StoragePath& path) {
  return std::unexpected(
      ClassicNotFound(fmt::format("No such object: {}/{}", path.bucket, path.object)));
}

StorageAnswer MakeBucket(Service& service, Exchange& exchange) {
  const ApiAnswer body = ReadSmallBody(service, exchange);
  const auto json = ParseMessage<OrderedJson>(body.value_or(""));
  const std::string name = json.has_value() ? TextMember(*json, "name") : "";
  const bool plain =
      name.size() >= 3 && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
      });
  if (!plain) {
    return std::unexpected(ClassicInvalid("Invalid bucket name."));
  }
  const Result<bool> made = service.objects.MakeBucket(name);
  if (!made.has_value()) {
    return std::unexpected(ToClassicError(made.error()));
  }
  if (!*made) {
    return std::unexpected(ClassicError{
        .status = 409, .reason = "conflict", .message = "You already own this bucket."});
  }
  return BucketText(name, BaseUrl(exchange));
}

StorageAnswer ListBuckets(Service& service, Exchange& exchange) {
  std::string list;
  for (const std::string& bucket : service.objects.Buckets()) {
    list += (list.empty() ? "" : ",") + BucketText(bucket, BaseUrl(exchange));
  }
  return fmt::format(R"({{"kind":"storage#buckets","items":[{}]}})", list);
}

StorageAnswer GetBucket(Service& service, Exchange& exchange, const StoragePath& path) {
  if (!service.objects.HasBucket(path.bucket)) {
    return NoSuchBucket();
  }
  return BucketText(path.bucket, BaseUrl(exchange));
}

// What a list shows: objects and, with a delimiter, the names up to it.
struct Listing {
  std::vector<StoredObject> objects;
  std::vector<std::string> prefixes;
  std::string last;  // the name after which the next page begins; empty at the end
};

Listing ListPage(const std::vector<StoredObject>& all, const Exchange& exchange,
                 const std::string& after, size_t count_max) {
  const std::string prefix = exchange.Query("prefix").value_or("");
  const std::string delimiter = exchange.Query("delimiter").value_or("");
  const std::string start = exchange.Query("startOffset").value_or("");
  const std::string end = exchange.Query("endOffset").value_or("");
  Listing page;
  std::string last;
  for (const StoredObject& object : all) {
    const size_t cut =
        delimiter.empty() ? std::string::npos : object.name.find(delimiter, prefix.size());
    const std::string shown =
        cut == std::string::npos ? object.name : object.name.substr(0, cut + delimiter.size());
    const bool again = !page.prefixes.empty() && page.prefixes.back() == shown;
    if (shown <= after || again || object.name < start || (!end.empty() && object.name >= end)) {
      continue;
    }
    if (page.objects.size() + page.prefixes.size() == count_max) {
      page.last = last;
      break;
    }
    last = shown;
    if (cut == std::string::npos) {
      page.objects.push_back(object);
    } else {
      page.prefixes.push_back(shown);
    }
  }
  return page;
}

// Page tokens are opaque and need percent-encoding, like the service's.
constexpr std::string_view kTokenMark = "after/";

StorageAnswer ListObjects(Service& service, Exchange& exchange, const StoragePath& path) {
  if (!service.objects.HasBucket(path.bucket)) {
    return NoSuchBucket();
  }
  const auto wanted = ParseDecimal<uint32_t>(exchange.Query("maxResults").value_or("1000"));
  const std::vector<StoredObject> all =
      service.objects.List(path.bucket, exchange.Query("prefix").value_or(""));
  const std::string token = exchange.Query("pageToken").value_or("");
  if (token.empty() && service.faults.Happens(Fault::kListEmptyPage)) {
    return fmt::format(R"({{"kind":"storage#objects","nextPageToken":"{}"}})", kTokenMark);
  }
  if (!wanted.has_value() || *wanted == 0 || (!token.empty() && !token.starts_with(kTokenMark))) {
    return std::unexpected(ClassicInvalid("Invalid argument."));
  }
  const std::string after = token.empty() ? "" : token.substr(kTokenMark.size());
  const Listing page = ListPage(all, exchange, after, std::min<size_t>(*wanted, kPageMax));
  std::string items;
  for (const StoredObject& object : page.objects) {
    items += (items.empty() ? "" : ",") + ObjectText(object, BaseUrl(exchange));
  }
  std::string text = R"({"kind":"storage#objects")";
  text += items.empty() ? "" : fmt::format(R"(,"items":[{}])", items);
  text += page.prefixes.empty()
              ? ""
              : fmt::format(R"(,"prefixes":{})", OrderedJson(page.prefixes).dump());
  text += page.last.empty() ? ""
                            : fmt::format(R"(,"nextPageToken":{})",
                                          OrderedJson(std::string(kTokenMark) + page.last).dump());
  return text + "}";
}

StorageAnswer Download(Service& service, Exchange& exchange, const StoredObject& object) {
  const auto bytes = service.objects.OpenData(object);
  if (!bytes.has_value()) {
    return std::unexpected(ToClassicError(bytes.error()));
  }
  std::string hash = "crc32c=" + FormatCrc32c(object.crc32c);
  hash += object.md5.empty() ? "" : ",md5=" + EncodeBase64(AsBytes(object.md5));
  const HttpHeaders headers = {
      {"Content-Type", object.content_type},
      {"ETag", fmt::format("etag-{}-{}", object.generation, object.metageneration)},
      {"x-goog-generation", fmt::format("{}", object.generation)},
      {"x-goog-metageneration", fmt::format("{}", object.metageneration)},
      {"x-goog-hash", hash},
      {"x-goog-stored-content-length", fmt::format("{}", object.size)},
      {"x-goog-stored-content-encoding", "identity"}};
  SendBytes(service, exchange, headers, **bytes, object.size);
  return std::nullopt;
}

StorageAnswer GetObject(Service& service, Exchange& exchange, const StoragePath& path) {
  const auto conditions = ReadConditions(exchange);
  if (!conditions.has_value()) {
    return std::unexpected(conditions.error());
  }
  const auto object = service.objects.Find(path.bucket, path.object);
  const auto generation = exchange.Query("generation");
  if (!object.has_value() ||
      (generation.has_value() && *generation != fmt::format("{}", object->generation))) {
    return NoSuchObject(path);
  }
  if (!conditions->Hold(object)) {
    const bool not_modified = conditions->generation_not_match == object->generation;
    return std::unexpected(ClassicError{.status = not_modified ? kNotModified : 412,
                                        .reason = "conditionNotMet",
                                        .message = "Precondition Failed"});
  }
  return exchange.Query("alt").value_or("json") == "media"
             ? Download(service, exchange, *object)
             : StorageAnswer(ObjectText(*object, BaseUrl(exchange)));
}

StorageAnswer DeleteObject(Service& service, Exchange& exchange, const StoragePath& path) {
  auto conditions = ReadConditions(exchange);
  if (!conditions.has_value()) {
    return std::unexpected(conditions.error());
  }
  const auto live = service.objects.Find(path.bucket, path.object);
  const auto generation = exchange.Query("generation");
  if (generation.has_value() && live.has_value() &&
      *generation != fmt::format("{}", live->generation)) {
    return NoSuchObject(path);
  }
  const Result<void> removed = service.objects.Remove(path.bucket, path.object, *conditions);
  if (!removed.has_value()) {
    return std::unexpected(ToClassicError(removed.error()));
  }
  service.journal.Note("object.delete", {{"bucket", path.bucket}, {"object", path.object}});
  exchange.Respond(204, {{"Server", "sluice"}}, "");
  return std::nullopt;
}

// The objects that a compose request names, in its order.
std::expected<std::vector<StoredObject>, ClassicError> ReadSources(Service& service,
                                                                   const OrderedJson& json,
                                                                   const StoragePath& path) {
  const OrderedJson* list = FindField(json, "sourceObjects");
  if (list == nullptr || !list->is_array() || list->empty() || list->size() > kComposedMax) {
    return std::unexpected(
        ClassicInvalid("The number of source components must be between 1 and 32."));
  }
  std::vector<StoredObject> sources;
  for (const OrderedJson& entry : *list) {
    const std::string name = TextMember(entry, "name");
    const auto object = service.objects.Find(path.bucket, name);
    if (!object.has_value()) {
      return std::unexpected(
          ClassicNotFound(fmt::format("Object {} ({}) not found.", name, path.bucket)));
    }
    const auto wanted =
        IntegerMember(ObjectMember(entry, "objectPreconditions"), "ifGenerationMatch");
    const auto generation = IntegerMember(entry, "generation");
    if (wanted.value_or(object->generation) != object->generation ||
        generation.value_or(object->generation) != object->generation) {
      return std::unexpected(ClassicError{
          .status = 412, .reason = "conditionNotMet", .message = "Precondition Failed"});
    }
    sources.push_back(*object);
  }
  return sources;
}

Result<void> Concatenate(Service& service, const std::vector<StoredObject>& sources,
                         const std::string& path) {
  SLUICE_ASSIGN(const auto target, service.files.Open(path, OpenMode::kCreate));
  std::vector<std::byte> buffer(1 << 18);
  for (const StoredObject& source : sources) {
    SLUICE_ASSIGN(const auto bytes, service.objects.OpenData(source));
    while (true) {
      SLUICE_ASSIGN(const size_t count, bytes->Read(buffer));
      if (count == 0) {
        break;
      }
      SLUICE_TRY(target->Write(std::span(buffer).first(count)));
    }
  }
  return {};
}

StorageAnswer ComposeObject(Service& service, Exchange& exchange, const StoragePath& path) {
  const ApiAnswer body = ReadSmallBody(service, exchange);
  const auto json = ParseMessage<OrderedJson>(body.value_or(""));
  const auto conditions = ReadConditions(exchange);
  if (!json.has_value() || !conditions.has_value()) {
    return std::unexpected(json.has_value() ? conditions.error() : ClassicInvalid("Parse Error"));
  }
  const auto sources = ReadSources(service, *json, path);
  auto wanted = ReadWantedObject(ObjectMember(*json, "destination").dump(), path.bucket);
  if (!sources.has_value() || !wanted.has_value()) {
    return std::unexpected(sources.has_value() ? wanted.error() : sources.error());
  }
  StoredObject target = wanted->object;
  target.name = path.object;
  for (const StoredObject& source : *sources) {
    target.component_count += std::max<uint64_t>(source.component_count, 1);
  }
  const std::string temporary = service.objects.TemporaryPath();
  const auto copied = Concatenate(service, *sources, temporary);
  const auto stored = copied.has_value() ? service.objects.Adopt(std::move(target), temporary,
                                                                 *conditions, wanted->sums)
                                         : std::unexpected(copied.error());
  if (!stored.has_value()) {
    (void)service.files.Remove(temporary);
    return std::unexpected(ToClassicError(stored.error()));
  }
  return ObjectText(*stored, BaseUrl(exchange));
}

using StorageRoute = ClassicRoute<StoragePath, StorageAnswer>;

StorageAnswer AnswerPath(Service& service, Exchange& exchange, const StoragePath& path) {
  const bool plain = path.prefix.empty();
  const bool of_object = path.in_objects && !path.object.empty() && path.verb.empty();
  const StorageRoute routes[] = {
      {"POST", "buckets.insert", plain && path.bucket.empty(),
       [](Service& s, Exchange& e, const StoragePath&) { return MakeBucket(s, e); }},
      {"GET", "buckets.list", plain && path.bucket.empty(),
       [](Service& s, Exchange& e, const StoragePath&) { return ListBuckets(s, e); }},
      {"GET", "buckets.get", plain && !path.bucket.empty() && !path.in_objects, GetBucket},
      {"GET", "objects.list", plain && path.in_objects && path.object.empty(), ListObjects},
      {"GET", "objects.get", path.prefix != "upload" && of_object, GetObject},
      {"DELETE", "objects.delete", plain && of_object, DeleteObject},
      {"POST", "objects.compose", plain && path.in_objects && path.verb == "compose",
       ComposeObject},
      {exchange.method(), "objects.insert",
       path.prefix == "upload" && path.in_objects && path.object.empty(), AnswerObjectUpload}};
  return AnswerByRoute<StoragePath, StorageAnswer>(service, exchange, path, routes);
}

}  // namespace

bool ServesStorage(const Exchange& exchange) {
  std::string_view path = exchange.path();
  for (const std::string_view prefix : {"/upload", "/download"}) {
    path.remove_prefix(path.starts_with(prefix) ? prefix.size() : 0);
  }
  return path.starts_with("/storage/v1/");
}

void AnswerStorage(Service& service, Exchange& exchange) {
  const std::optional<StoragePath> path = ParseStoragePath(exchange.path());
  const StorageAnswer answer = path.has_value()
                                   ? AnswerPath(service, exchange, *path)
                                   : StorageAnswer(std::unexpected(ClassicNotFound("Not Found")));
  if (!answer.has_value()) {
    return;
  }
  if (answer->has_value()) {
    SendAnswer(service, exchange, **answer);
  } else if (answer->error().status == kNotModified) {
    exchange.Respond(kNotModified, {{"Server", "sluice"}}, "");  // Such an answer has no body.
  } else {
    SendErrorBody(service, exchange, answer->error().status, ClassicErrorBody(answer->error()));
  }
}

}  // namespace sluice
