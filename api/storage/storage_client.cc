#include "api/storage/storage_client.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/files/range_download.h"
#include "api/http/done_answer.h"
#include "api/http/google_error.h"
#include "api/http/header_values.h"
#include "api/storage/object_upload.h"
#include "io/base/crc32c.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr const char* kStorageRoot = "/storage";
constexpr size_t kComposedMax = 32;

std::string Uri(const ObjectName& name) { return PrintableText(FormatObjectUri(name), 300); }

std::string ObjectPath(const ObjectName& name) {
  return fmt::format("/b/{}/o/{}", name.bucket, EncodeQueryValue(name.object));
}

Result<void> CheckName(const ObjectName& name) {
  if (IsBucketName(name.bucket) && IsObject(name.object)) {
    return {};
  }
  return Fail(ErrorCode::kUsage, fmt::format("'{}' cannot be an object", Uri(name)));
}

// Names are compared too: an answer about another object proves nothing about ours.
Result<RemoteObject> ReadObjectNamed(const ObjectName& name, const HttpResponse& answer) {
  auto object = ParseRemoteObject(answer.body);
  if (!object) {
    object.error().message = fmt::format("{}: {}", Uri(name), object.error().message);
    return object;
  }
  if (object->name != name) {
    return Fail(ErrorCode::kBadAnswer,
                fmt::format("{}: the answer is about {}", Uri(name), Uri(object->name)));
  }
  return object;
}

Result<void> SendDelete(const GoogleService& service, const HttpRequest& request) {
  SLUICE_ASSIGN(const HttpResponse answer, service.SendForSuccess(request));
  return CheckDone(answer, EmptyAnswer::kAny2xx);
}

// Names are cut at the length of the prefix later on.
Result<void> CheckPrefix(const ObjectPage& page, std::string_view prefix) {
  const auto has_prefix = [&](std::string_view name) { return name.starts_with(prefix); };
  if (std::ranges::all_of(page.prefixes, has_prefix) &&
      std::ranges::all_of(page.objects, has_prefix,
                          [](const RemoteObject& object) { return object.name.object; })) {
    return {};
  }
  return Fail(ErrorCode::kBadAnswer,
              fmt::format("list of objects: one does not begin with '{}', which was asked for",
                          PrintableText(prefix, 200)));
}

// The service has a checksum for every object; without one nothing speaks for the bytes.
bool HasContent(const RemoteObject& object, uint64_t size, const std::string& crc32c) {
  return object.size == size && object.crc32c && Crc32cHex(*object.crc32c) == crc32c;
}

}  // namespace

StoragePlace StorageOfEnvironment(const EnvironmentLookup& environment) {
  // Waits as https://cloud.google.com/storage/docs/retry-strategy has them, 2026-11.
  StoragePlace place{.options = {.base_url = "https://storage.googleapis.com",
                                 .api_version = "v1",
                                 .retry = {.attempts_max = 8,
                                           .first_wait = std::chrono::milliseconds(1'000),
                                           .wait_max = std::chrono::milliseconds(32'000)}}};
  const std::string emulator = environment("STORAGE_EMULATOR_HOST").value_or("");
  const std::string override = environment("CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE").value_or("");
  place.is_emulator = !emulator.empty();
  if (const std::string& address = place.is_emulator ? emulator : override; !address.empty()) {
    place.options.base_url = AddressOfHost(address, "/storage/v1");
  }
  return place;
}

Result<RemoteObject> StorageClient::Upload(const ObjectName& name, const StageSource& source,
                                           const UploadObjectOptions& options,
                                           const std::stop_token& stop) const {
  SLUICE_TRY(CheckName(name));
  ObjectUpload upload(service_, name, source, options, stop);
  auto object = upload.Run();
  const bool is_taken =
      !object && object.error().code == ErrorCode::kConflict && !options.overwrite;
  if (is_taken) {
    object = Get(name, stop);
  }
  if (!object) {
    return object;
  }
  SLUICE_ASSIGN(const std::string crc32c, upload.Crc32cOfSource());
  if (object->name == name && HasContent(*object, source.size, crc32c)) {
    return object;
  }
  if (is_taken) {
    return Fail(ErrorCode::kConflict, Uri(name) + " is there already, with another content");
  }
  // Nobody may use it. Only the content that we just made is removed.
  if (object->name == name && object->generation > 0) {
    static_cast<void>(Delete(name, stop, object->generation));
  }
  return Fail(ErrorCode::kBadAnswer, Uri(name) + ": the service stored other bytes than were sent");
}

Result<RemoteObject> StorageClient::Get(const ObjectName& name, std::stop_token stop) const {
  SLUICE_TRY(CheckName(name));
  return service_.Call<RemoteObject>(
      Repeat::kSafe, service_.Request("GET", ObjectPath(name), std::move(stop), kStorageRoot),
      [&](const HttpResponse& answer) { return ReadObjectNamed(name, answer); });
}

Result<ObjectPage> StorageClient::List(const std::string& bucket, const ListObjectsOptions& options,
                                       std::stop_token stop) const {
  if (!IsBucketName(bucket)) {
    return Fail(ErrorCode::kUsage, fmt::format("'{}' is not a bucket", PrintableText(bucket, 200)));
  }
  std::string path = fmt::format("/b/{}/o?maxResults={}", bucket, options.page_size);
  for (const auto& [parameter, value] :
       {std::pair("prefix", options.prefix), std::pair("delimiter", options.delimiter),
        std::pair("pageToken", options.page_token)}) {
    path += value.empty() ? "" : fmt::format("&{}={}", parameter, EncodeQueryValue(value));
  }
  return service_.Call<ObjectPage>(
      Repeat::kSafe, service_.Request("GET", path, std::move(stop), kStorageRoot),
      [&](const HttpResponse& answer) -> Result<ObjectPage> {
        SLUICE_ASSIGN(ObjectPage page, ParseObjectPage(answer.body));
        SLUICE_TRY(CheckPrefix(page, options.prefix));
        SLUICE_TRY(CheckNextPage("list of objects", options.page_token, page.next_page_token));
        return page;
      });
}

PagedList<RemoteObject> StorageClient::ListAll(const std::string& bucket,
                                               const ListObjectsOptions& options,
                                               std::stop_token stop) const {
  const auto fetch = [service = &service_, bucket, options, stop = std::move(stop)](
                         const std::string& page_token) -> Result<PagedList<RemoteObject>::Page> {
    ListObjectsOptions page_options = options;
    page_options.page_token = page_token;
    SLUICE_ASSIGN(ObjectPage page, StorageClient(*service).List(bucket, page_options, stop));
    return PagedList<RemoteObject>::Page{.items = std::move(page.objects),
                                         .next_page_token = std::move(page.next_page_token)};
  };
  return PagedList<RemoteObject>(fetch, options.page_token);
}

Result<RemoteObject> StorageClient::Download(const ObjectName& name, uint64_t bytes_max,
                                             const BodyWriter& writer,
                                             const std::function<Result<void>()>& restart,
                                             const std::stop_token& stop) const {
  constexpr int kWrongMax = 3;
  SLUICE_ASSIGN(RemoteObject object, Get(name, stop));
  SLUICE_TRY(CheckReadable(object));
  if (object.size > bytes_max) {
    return Fail(ErrorCode::kRefused, fmt::format("{} has {} bytes, more than the {} that are taken",
                                                 Uri(name), object.size, bytes_max));
  }
  HttpRequest request = service_.Request(
      "GET", fmt::format("{}?alt=media&generation={}", ObjectPath(name), object.generation), stop,
      kStorageRoot);
  request.answer_bytes_max = bytes_max;
  Crc32cSum sum;
  const BodyWriter summing = [&](std::span<const std::byte> bytes) {
    sum.Update(bytes);
    return writer(bytes);
  };
  const std::function<Result<void>()> starting_over = [&] {
    sum = {};
    return restart();
  };
  for (int wrong = 0; wrong < kWrongMax; ++wrong) {
    SLUICE_ASSIGN(const uint64_t size, RangeDownload(service_, request, summing, starting_over,
                                                     PackedBody::kTaken, object.size)
                                           .Run());
    if (HasContent(object, size, sum.HexDigest())) {
      return object;
    }
    SLUICE_TRY(starting_over());
  }
  return Fail(ErrorCode::kBadAnswer, Uri(name) + ": other bytes came than are stored");
}

Result<void> StorageClient::CheckReadable(const RemoteObject& object) {
  if (!object.content_encoding.empty() && object.content_encoding != "identity") {
    return Fail(ErrorCode::kRefused,
                fmt::format("{} has the Content-Encoding {}, so that its bytes cannot be checked",
                            Uri(object.name), PrintableText(object.content_encoding, 64)),
                "store it without: as text, or as a packed file with a name like data.jsonl.gz");
  }
  if (!object.crc32c) {
    return Fail(ErrorCode::kBadAnswer, Uri(object.name) + ": the service names no checksum");
  }
  return {};
}

Result<std::string> StorageClient::ReadRange(const RemoteObject& object, uint64_t offset,
                                             uint64_t size, std::stop_token stop) const {
  SLUICE_TRY(CheckReadable(object));
  const uint64_t end = std::min(object.size, offset + std::min(size, object.size));
  if (offset >= end) {
    return std::string();
  }
  HttpRequest request = service_.Request(
      "GET", fmt::format("{}?alt=media&generation={}", ObjectPath(object.name), object.generation),
      std::move(stop), kStorageRoot);
  request.headers.emplace_back("Range", fmt::format("bytes={}-{}", offset, end - 1));
  request.answer_bytes_max = std::max(end - offset, kAnswerBytesMax);  // An error is longer.
  return service_.Call<std::string>(
      Repeat::kSafe, request, [&](const HttpResponse& answer) -> Result<std::string> {
        const auto range = ParseContentRange(answer.Header("content-range").value_or(""));
        const bool is_asked = answer.status == 206
                                  ? range && range->begin == offset && range->end == end
                                  : offset == 0 && end == object.size;
        if (!is_asked || answer.body.size() != end - offset) {
          return Fail(ErrorCode::kBadAnswer,
                      Uri(object.name) + ": the service answered with other bytes than were asked");
        }
        return answer.body;
      });
}

Result<void> StorageClient::Delete(const ObjectName& name, std::stop_token stop,
                                   int64_t generation) const {
  SLUICE_TRY(CheckName(name));
  const std::string condition =
      generation == 0 ? "" : fmt::format("?ifGenerationMatch={}", generation);
  const HttpRequest request =
      service_.Request("DELETE", ObjectPath(name) + condition, std::move(stop), kStorageRoot);
  bool is_repeated = false;
  return CallWithRetry<void>(Repeat::kSafe, service_.options().retry, service_.clock(),
                             request.stop, [&]() -> Result<void> {
                               const auto deleted = SendDelete(service_, request);
                               // A first try whose answer was lost has removed it.
                               const bool is_gone =
                                   !deleted && deleted.error().code == ErrorCode::kNotFound;
                               if (deleted || (is_gone && is_repeated)) {
                                 return {};
                               }
                               is_repeated = true;
                               return deleted;
                             });
}

Result<RemoteObject> StorageClient::Compose(const ObjectName& target,
                                            const std::vector<RemoteObject>& sources,
                                            const UploadObjectOptions& options,
                                            std::stop_token stop) const {
  SLUICE_TRY(CheckName(target));
  if (sources.empty() || sources.size() > kComposedMax) {
    return Fail(ErrorCode::kUsage, "an object is composed of 1 to 32 others");
  }
  Json body = {
      {"sourceObjects", Json::array()},
      {"destination", {{"contentType", options.content_type}, {"metadata", options.metadata}}}};
  for (const RemoteObject& source : sources) {
    if (source.name.bucket != target.bucket) {
      return Fail(ErrorCode::kUsage, "an object is composed of objects of its own bucket");
    }
    body["sourceObjects"].push_back(
        {{"name", source.name.object},
         {"objectPreconditions", {{"ifGenerationMatch", std::to_string(source.generation)}}}});
  }
  return service_.Call<RemoteObject>(
      Repeat::kSafe,
      service_.JsonRequest("POST",
                           fmt::format("{}/compose{}", ObjectPath(target),
                                       options.overwrite ? "" : "?ifGenerationMatch=0"),
                           body.dump(-1, ' ', false, Json::error_handler_t::replace),
                           std::move(stop), kStorageRoot),
      [&](const HttpResponse& answer) { return ReadObjectNamed(target, answer); });
}

}  // namespace sluice
