#include "tools/emulator/object_store.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include "io/base/crc32c.h"
#include "io/json/json_document.h"
#include "tools/emulator/random_id.h"
#include "tools/emulator/state_file.h"
#include "tools/emulator/timestamp.h"

namespace sluice {

namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr size_t kObjectReadBytes = 1 << 18;

struct FreeDigest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// Fills in size and sums in one pass over the bytes.
Result<void> Measure(FileSystem& files, const std::string& path, StoredObject& object) {
  SLUICE_ASSIGN(const auto bytes, files.Open(path, OpenMode::kRead));
  const std::unique_ptr<EVP_MD_CTX, FreeDigest> digest(EVP_MD_CTX_new());
  EVP_DigestInit_ex(digest.get(), EVP_md5(), nullptr);
  std::vector<std::byte> buffer(kObjectReadBytes);
  object.size = 0;
  object.crc32c = 0;
  while (true) {
    SLUICE_ASSIGN(const size_t count, bytes->Read(buffer));
    if (count == 0) {
      break;
    }
    EVP_DigestUpdate(digest.get(), buffer.data(), count);
    object.crc32c = Crc32c(object.crc32c, std::span(buffer).first(count));
    object.size += count;
  }
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  EVP_DigestFinal_ex(digest.get(), hash, &length);
  object.md5.assign(reinterpret_cast<const char*>(hash), length);
  return {};
}

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) {
    fmt::format_to(std::back_inserter(hex), "{:02x}", static_cast<unsigned char>(byte));
  }
  return hex;
}

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

std::string DocumentText(const StoredObject& object) {
  return OrderedJson{{"bucket", object.bucket},
                     {"name", object.name},
                     {"content_type", object.content_type},
                     {"content_encoding", object.content_encoding},
                     {"metadata", object.metadata},
                     {"component_count", object.component_count},
                     {"size", object.size},
                     {"crc32c", object.crc32c},
                     {"md5", Hex(object.md5)},
                     {"generation", object.generation},
                     {"metageneration", object.metageneration}}
      .dump();
}

Result<StoredObject> ParseObject(const std::string& text, const std::string& path) {
  const OrderedJson json = ParseOrderedJson(text);
  if (!json.is_object()) {
    return Fail(ErrorCode::kIo, fmt::format("'{}' is not a document of the service", path));
  }
  StoredObject object;
  object.bucket = json.value("bucket", "");
  object.name = json.value("name", "");
  object.content_type = json.value("content_type", "");
  object.content_encoding = json.value("content_encoding", "");
  object.metadata = json.value("metadata", object.metadata);
  object.component_count = json.value("component_count", uint64_t{0});
  object.size = json.value("size", uint64_t{0});
  object.crc32c = json.value("crc32c", uint32_t{0});
  object.md5 = FromHex(json.value("md5", ""));
  object.generation = json.value("generation", int64_t{0});
  object.metageneration = json.value("metageneration", int64_t{1});
  return object;
}

Result<void> CheckSums(const StoredObject& object, const ObjectSums& expected) {
  if (expected.crc32c.has_value() && *expected.crc32c != object.crc32c) {
    return Fail(ErrorCode::kInput, "Provided CRC32C does not match the calculated one.");
  }
  if (!expected.md5.empty() && expected.md5 != object.md5) {
    return Fail(ErrorCode::kInput, "Provided MD5 hash does not match the calculated one.");
  }
  return {};
}

Result<void> CheckConditions(const ObjectConditions& conditions,
                             const std::optional<StoredObject>& live) {
  if (conditions.Hold(live)) {
    return {};
  }
  return Fail(ErrorCode::kConflict,
              "At least one of the pre-conditions you specified did not hold.");
}

}  // namespace

bool ObjectConditions::Hold(const std::optional<StoredObject>& live) const {
  const int64_t generation = live.has_value() ? live->generation : 0;
  const int64_t metageneration = live.has_value() ? live->metageneration : 0;
  return generation_match.value_or(generation) == generation &&
         generation_not_match != generation &&
         metageneration_match.value_or(metageneration) == metageneration &&
         metageneration_not_match != metageneration;
}

ObjectStore::ObjectStore(FileSystem& files, std::string folder, Clock& clock)
    : files_(files), folder_(std::move(folder)), clock_(clock) {}

Result<std::unique_ptr<ObjectStore>> ObjectStore::Open(FileSystem& files, std::string folder,
                                                       Clock& clock) {
  SLUICE_TRY(files.MakeFolders(folder));
  auto store = std::make_unique<ObjectStore>(files, std::move(folder), clock);
  SLUICE_TRY(store->Load());
  return store;
}

Result<void> ObjectStore::Load() {
  SLUICE_ASSIGN(const auto names, files_.List(folder_));
  for (const std::string& name : names) {
    const std::string path = folder_ + "/" + name;
    if (name.ends_with(".tmp")) {
      SLUICE_TRY(files_.Remove(path));
    } else if (name == "buckets.json") {
      SLUICE_ASSIGN(const std::string text, ReadStateFile(files_, path));
      const OrderedJson list = ParseOrderedJson(text);
      buckets_ = list.is_array() ? list.get<std::set<std::string>>() : buckets_;
    } else if (name.ends_with(".json")) {
      SLUICE_ASSIGN(const std::string text, ReadStateFile(files_, path));
      SLUICE_ASSIGN(StoredObject object, ParseObject(text, path));
      last_generation_ = std::max(last_generation_, object.generation);
      StoredObject& live = stored_[{object.bucket, object.name}];
      // Without its bytes it is one whose adoption was interrupted; the newer of two replaced the
      // older, which was not yet removed.
      const bool wins =
          files_.Exists(DataPath(object.generation)) && object.generation > live.generation;
      const int64_t loser = wins ? live.generation : object.generation;
      if (loser != 0) {
        SLUICE_TRY(RemoveFiles(loser));
      }
      live = wins ? std::move(object) : std::move(live);
    }
  }
  std::erase_if(stored_, [](const auto& entry) { return entry.second.generation == 0; });
  return {};
}

Result<void> ObjectStore::SaveBuckets() {
  return ReplaceStateFile(files_, folder_ + "/buckets.json", OrderedJson(buckets_).dump());
}

Result<bool> ObjectStore::MakeBucket(const std::string& bucket) {
  const std::scoped_lock lock(mutex_);
  if (!buckets_.insert(bucket).second) {
    return false;
  }
  SLUICE_TRY(SaveBuckets());
  return true;
}

bool ObjectStore::HasBucket(const std::string& bucket) {
  const std::scoped_lock lock(mutex_);
  return buckets_.contains(bucket);
}

std::vector<std::string> ObjectStore::Buckets() {
  const std::scoped_lock lock(mutex_);
  return {buckets_.begin(), buckets_.end()};
}

std::optional<StoredObject> ObjectStore::FindLocked(const std::string& bucket,
                                                    const std::string& name) const {
  const auto found = stored_.find({bucket, name});
  return found == stored_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<StoredObject> ObjectStore::Find(const std::string& bucket, const std::string& name) {
  const std::scoped_lock lock(mutex_);
  return FindLocked(bucket, name);
}

std::vector<StoredObject> ObjectStore::List(const std::string& bucket, const std::string& prefix) {
  const std::scoped_lock lock(mutex_);
  std::vector<StoredObject> list;
  for (auto entry = stored_.lower_bound({bucket, prefix});
       entry != stored_.end() && entry->first.first == bucket &&
       entry->first.second.starts_with(prefix);
       ++entry) {
    list.push_back(entry->second);
  }
  return list;
}

Result<StoredObject> ObjectStore::Adopt(StoredObject object, const std::string& path,
                                        const ObjectConditions& conditions,
                                        const ObjectSums& expected) {
  SLUICE_TRY(Measure(files_, path, object));
  SLUICE_TRY(CheckSums(object, expected));
  if (object.component_count > 0) {
    object.md5.clear();
  }
  const std::scoped_lock lock(mutex_);
  if (!buckets_.contains(object.bucket)) {
    return Fail(ErrorCode::kNotFound, "The specified bucket does not exist.");
  }
  const std::optional<StoredObject> live = FindLocked(object.bucket, object.name);
  SLUICE_TRY(CheckConditions(conditions, live));
  const int64_t now_us = UnixNanoseconds(clock_.WallNow()) / 1000;
  last_generation_ = std::max(last_generation_ + 1, now_us);
  object.generation = last_generation_;
  SLUICE_TRY(ReplaceStateFile(files_, DocumentPath(object.generation), DocumentText(object)));
  SLUICE_TRY(files_.Rename(path, DataPath(object.generation)));
  stored_[{object.bucket, object.name}] = object;
  if (live.has_value()) {
    SLUICE_TRY(RemoveFiles(live->generation));
  }
  return object;
}

Result<StoredObject> ObjectStore::Put(StoredObject object, std::string_view bytes,
                                      const ObjectConditions& conditions,
                                      const ObjectSums& expected) {
  const std::string path = TemporaryPath();
  SLUICE_ASSIGN(const auto file, files_.Open(path, OpenMode::kCreate));
  SLUICE_TRY(file->Write(AsBytes(bytes)));
  auto stored = Adopt(std::move(object), path, conditions, expected);
  if (!stored.has_value()) {
    (void)files_.Remove(path);
  }
  return stored;
}

std::string ObjectStore::TemporaryPath() const {
  return fmt::format("{}/{}.tmp", folder_, RandomId(16));
}

Result<void> ObjectStore::Remove(const std::string& bucket, const std::string& name,
                                 const ObjectConditions& conditions) {
  const std::scoped_lock lock(mutex_);
  const auto found = stored_.find({bucket, name});
  if (found == stored_.end()) {
    return Fail(ErrorCode::kNotFound, fmt::format("No such object: {}/{}", bucket, name));
  }
  SLUICE_TRY(CheckConditions(conditions, found->second));
  const int64_t generation = found->second.generation;
  stored_.erase(found);
  return RemoveFiles(generation);
}

Result<std::unique_ptr<File>> ObjectStore::OpenData(const StoredObject& object) {
  return files_.Open(DataPath(object.generation), OpenMode::kRead);
}

// The bytes last: without its document an object is not there.
Result<void> ObjectStore::RemoveFiles(int64_t generation) {
  SLUICE_TRY(files_.Remove(DocumentPath(generation)));
  return files_.Remove(DataPath(generation));
}

std::string ObjectStore::DataPath(int64_t generation) const {
  return fmt::format("{}/{}.data", folder_, generation);
}

std::string ObjectStore::DocumentPath(int64_t generation) const {
  return fmt::format("{}/{}.json", folder_, generation);
}

}  // namespace sluice
