// ObjectStore: the buckets and objects of the local Cloud Storage, as bytes and a document each in
// a folder. Survives kill -9. Thread-safe.
//
//   <generation>.data   the bytes          <generation>.json   whose they are
//   buckets.json        the names of all buckets
//
// An object's bytes never change: a new content is a new generation with files of its own, and who
// has the old one open reads it to its end.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "io/base/clock.h"
#include "io/file/file_system.h"

namespace sluice {

struct StoredObject {
  std::string bucket;
  std::string name;
  std::string content_type = "application/octet-stream";
  std::string content_encoding = {};
  std::map<std::string, std::string> metadata = {};
  uint64_t component_count = 0;  // of a composed object
  // Filled in by the store:
  uint64_t size = 0;
  uint32_t crc32c = 0;
  std::string md5 = {};    // 16 raw bytes; empty for a composed object
  int64_t generation = 0;  // microseconds of Unix time, different for every content
  int64_t metageneration = 1;
};

// What must hold of the object that bears the name now for a call to be done.
struct ObjectConditions {
  std::optional<int64_t> generation_match;  // 0: there is none
  std::optional<int64_t> generation_not_match;
  std::optional<int64_t> metageneration_match;
  std::optional<int64_t> metageneration_not_match;

  [[nodiscard]] bool Hold(const std::optional<StoredObject>& live) const;
};

// What is known of the bytes before they are stored.
struct ObjectSums {
  std::optional<uint32_t> crc32c;
  std::string md5;  // 16 raw bytes; empty: not known
};

class ObjectStore {
 public:
  [[nodiscard]] static Result<std::unique_ptr<ObjectStore>> Open(FileSystem& files,
                                                                 std::string folder, Clock& clock);
  ObjectStore(FileSystem& files, std::string folder, Clock& clock);

  // False when it was there already.
  [[nodiscard]] Result<bool> MakeBucket(const std::string& bucket);
  [[nodiscard]] bool HasBucket(const std::string& bucket);
  [[nodiscard]] std::vector<std::string> Buckets();

  [[nodiscard]] std::optional<StoredObject> Find(const std::string& bucket,
                                                 const std::string& name);
  // Those whose names begin with `prefix`, in the order of their names.
  [[nodiscard]] std::vector<StoredObject> List(const std::string& bucket,
                                               const std::string& prefix = "");

  // Moves the bytes under `path` into the store as `object`; an object of that name is replaced.
  // Errors: kNotFound without the bucket; kConflict when the conditions do not hold; kInput when
  // the bytes have other sums than `expected`; kIo. `path` is left alone then.
  [[nodiscard]] Result<StoredObject> Adopt(StoredObject object, const std::string& path,
                                           const ObjectConditions& conditions = {},
                                           const ObjectSums& expected = {});
  // The same of bytes in memory.
  [[nodiscard]] Result<StoredObject> Put(StoredObject object, std::string_view bytes,
                                         const ObjectConditions& conditions = {},
                                         const ObjectSums& expected = {});
  // A path in the store's own folder for bytes that are written piece by piece and then adopted.
  [[nodiscard]] std::string TemporaryPath() const;

  // Errors: kNotFound, kConflict, kIo.
  [[nodiscard]] Result<void> Remove(const std::string& bucket, const std::string& name,
                                    const ObjectConditions& conditions = {});

  // The bytes; readable to their end even when the object is replaced or removed meanwhile.
  [[nodiscard]] Result<std::unique_ptr<File>> OpenData(const StoredObject& object);

 private:
  [[nodiscard]] Result<void> Load();
  [[nodiscard]] Result<void> SaveBuckets();
  [[nodiscard]] std::optional<StoredObject> FindLocked(const std::string& bucket,
                                                       const std::string& name) const;
  [[nodiscard]] Result<void> RemoveFiles(int64_t generation);
  [[nodiscard]] std::string DataPath(int64_t generation) const;
  [[nodiscard]] std::string DocumentPath(int64_t generation) const;

  FileSystem& files_;
  const std::string folder_;
  Clock& clock_;
  std::mutex mutex_;
  std::set<std::string> buckets_;
  std::map<std::pair<std::string, std::string>, StoredObject> stored_;
  int64_t last_generation_ = 0;
};

}  // namespace sluice
