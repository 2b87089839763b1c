// Our client of Cloud Storage against whatever serves at STORAGE_EMULATOR_HOST: makes what it can
// in the bucket that it is told, looks at it, and leaves nothing behind.
//
//   storage_peer BUCKET
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <string>

#include "api/http/curl_transport.h"
#include "api/storage/storage_client.h"
#include "io/base/clock.h"
#include "tests/support/collected_bytes.h"
#include "tests/support/made_bytes.h"

namespace sluice {
namespace {

constexpr uint64_t kChunk = 256 << 10;

void Expect(bool condition, const std::string& what) {
  if (!condition) {
    fmt::print(stderr, "storage_peer: {}\n", what);
    std::exit(1);
  }
}

template <typename T>
T Must(Result<T> result, const std::string& what) {
  Expect(result.has_value(), what + ": " + (result ? "" : result.error().message));
  if constexpr (!std::is_void_v<T>) {
    return *std::move(result);
  }
}

std::string Content(size_t size) { return BytesWithoutPattern(size, 7); }

std::string Downloaded(const StorageClient& storage, const ObjectName& name) {
  CollectedBytes bytes;
  Must(storage.Download(name, uint64_t{1} << 30, bytes.writer(), bytes.restart()), "download");
  return bytes.text;
}

void CheckObject(const StorageClient& storage, const ObjectName& name, size_t size) {
  const std::string content = Content(size);
  const StageSource source = SourceOfBytes(content);
  const UploadObjectOptions options{.content_type = "application/jsonl", .chunk_bytes = kChunk};
  const RemoteObject stored = Must(storage.Upload(name, source, options), "upload");
  Expect(stored.size == size, "the size of an upload");
  Expect(Downloaded(storage, name) == content, "a download has other bytes");
  Expect(Must(storage.ReadRange(stored, size / 2, 100), "a range") == content.substr(size / 2, 100),
         "a range has other bytes");
  const RemoteObject again = Must(storage.Upload(name, source, options), "the same upload again");
  Expect(again.generation == stored.generation, "the same upload made a new object");
  Expect(storage.Upload(name, SourceOfBytes("other"), options).error().code == ErrorCode::kConflict,
         "another upload must not replace an object");
}

void CheckAll(const StorageClient& storage, const std::string& bucket) {
  const auto named = [&](const std::string& object) {
    return ObjectName{.bucket = bucket, .object = object};
  };
  CheckObject(storage, named("peer/one chunk"), 1000);
  CheckObject(storage, named("peer/many chunks"), 3 * kChunk + 17);
  const ObjectPage top = Must(storage.List(bucket, {.delimiter = "/"}), "list");
  Expect(top.prefixes == std::vector<std::string>{"peer/"}, "the prefixes of a list");
  auto objects =
      Must(storage.ListAll(bucket, {.prefix = "peer/", .page_size = 1}).Rest(), "all pages");
  Expect(objects.size() == 2 && objects[0].name.object == "peer/many chunks",
         "the names of a list");
  const RemoteObject whole = Must(storage.Compose(named("peer/whole"), objects), "compose");
  Expect(whole.size == objects[0].size + objects[1].size, "the size of a composed object");
  objects.push_back(whole);
  for (const RemoteObject& object : objects) {
    Must(storage.Delete(object.name), "delete");
    Expect(storage.Get(object.name).error().code == ErrorCode::kNotFound, "a deleted object");
  }
}

int Main(const std::string& bucket) {
  StoragePlace place = StorageOfEnvironment([](const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  });
  Expect(place.is_emulator, "STORAGE_EMULATOR_HOST is not set");
  SystemClock clock;
  const auto transport = MakeCurlTransport({});
  const auto service =
      Must(GoogleService::Make(std::move(place.options), *transport, clock), "the address");
  CheckAll(StorageClient(*service), bucket);
  fmt::print("storage_peer: all operations did what they should\n");
  return 0;
}

}  // namespace
}  // namespace sluice

int main(int count, char** arguments) { return count == 2 ? sluice::Main(arguments[1]) : 2; }
