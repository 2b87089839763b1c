// StorageClient: the part of Cloud Storage's JSON API that sluice needs, call by call. Thread-safe.
//
// All calls are repeated by themselves as api/http/retry.h says, and end with kUnfinished soon
// after `stop` is requested. Errors of all: as Batches; kNotFound for a bucket or an object that is
// not there; kConflict for a precondition that does not hold. Source:
// https://cloud.google.com/storage/docs/json_api, 2026-11.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "api/auth/api_key.h"
#include "api/files/stage_source.h"
#include "api/http/google_service.h"
#include "api/http/paged_list.h"
#include "api/storage/object_name.h"
#include "api/storage/remote_object.h"
#include "io/base/error.h"

namespace sluice {

// A service like https://storage.googleapis.com, without tokens yet. STORAGE_EMULATOR_HOST names
// another one, with or without a scheme; as Google's clients have it, nobody signs in there. Else
// CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE, as gcloud has it, names one at which one does: a private
// endpoint.
struct StoragePlace {
  GoogleServiceOptions options = {};
  bool is_emulator = false;
};
[[nodiscard]] StoragePlace StorageOfEnvironment(const EnvironmentLookup& environment);

struct UploadObjectOptions {
  std::string content_type = "application/octet-stream";
  std::map<std::string, std::string> metadata = {};
  // Without: an object of that name with the same bytes is the result, another one is kConflict.
  bool overwrite = false;
  ByteProgress progress = {};  // called with the bytes handed to the network; may step back
  // Of one request, read from the source while it is sent. A multiple of 256 KiB, as the service
  // wants it.
  uint64_t chunk_bytes = uint64_t{16} << 20;
};

struct ListObjectsOptions {
  std::string prefix = {};
  std::string delimiter = {};  // "/" gives what lies directly under the prefix; empty: all
  int page_size = 1000;        // the service's maximum
  std::string page_token = {};
};

class StorageClient {
 public:
  // `service` must outlive this object; made of StoragePlace::options.
  explicit StorageClient(const GoogleService& service) : service_(service) {}

  // Sends `source` through a resumable session and compares size and CRC32C with what the service
  // stored; an object that differs is deleted and kBadAnswer. Also for an empty source. Repeating a
  // whole call after a crash is safe: see UploadObjectOptions::overwrite. Also kIo.
  [[nodiscard]] Result<RemoteObject> Upload(const ObjectName& name, const StageSource& source,
                                            const UploadObjectOptions& options = {},
                                            const std::stop_token& stop = {}) const;

  [[nodiscard]] Result<RemoteObject> Get(const ObjectName& name, std::stop_token stop = {}) const;

  // In the order of their names.
  [[nodiscard]] Result<ObjectPage> List(const std::string& bucket,
                                        const ListObjectsOptions& options = {},
                                        std::stop_token stop = {}) const;
  // All objects from the page that `options` names on, fetched as they are taken. The list must not
  // outlive the GoogleService.
  [[nodiscard]] PagedList<RemoteObject> ListAll(const std::string& bucket,
                                                const ListObjectsOptions& options = {},
                                                std::stop_token stop = {}) const;

  // Gives the bytes of the object as it stands at the start to `writer`, and tells which content it
  // was. A broken transfer goes on by range in the same generation; `restart` is called before
  // bytes come from zero again. The CRC32C is checked at the end: only a value says that the bytes
  // are right. Errors: also kRefused when it is larger than `bytes_max`; kBadAnswer when the bytes
  // are wrong, or too many, after several tries.
  [[nodiscard]] Result<RemoteObject> Download(const ObjectName& name, uint64_t bytes_max,
                                              const BodyWriter& writer,
                                              const std::function<Result<void>()>& restart,
                                              const std::stop_token& stop = {}) const;
  // `size` bytes (fewer at the end of the object) from `offset` on, of the given generation. Not
  // checked by CRC32C, which tells of whole objects only.
  [[nodiscard]] Result<std::string> ReadRange(const RemoteObject& object, uint64_t offset,
                                              uint64_t size, std::stop_token stop = {}) const;

  // `generation`: of this content alone; 0: whatever there is. Deleting what is not there is
  // kNotFound.
  [[nodiscard]] Result<void> Delete(const ObjectName& name, std::stop_token stop = {},
                                    int64_t generation = 0) const;

  // Makes `target` of up to 32 objects of its bucket, in their order; overwriting as in Upload()
  // without its comparison: a target that is there already is kConflict.
  [[nodiscard]] Result<RemoteObject> Compose(const ObjectName& target,
                                             const std::vector<RemoteObject>& sources,
                                             const UploadObjectOptions& options = {},
                                             std::stop_token stop = {}) const;

 private:
  // Whether the bytes that come are those that are stored, and can be checked.
  static Result<void> CheckReadable(const RemoteObject& object);

  const GoogleService& service_;
};

}  // namespace sluice
