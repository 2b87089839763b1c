// ObjectUpload: one object sent through a resumable session of Cloud Storage, across broken
// connections. One thread at a time.
//
// Each request carries one chunk, read from the source while it is sent. The service's Range is
// believed, never what we think we sent; when a request breaks, the session is asked how far it
// came. A session that is gone is replaced. Source:
// https://cloud.google.com/storage/docs/performing-resumable-uploads, 2026-11.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "api/files/stage_source.h"
#include "api/files/upload_body.h"
#include "api/http/google_service.h"
#include "api/storage/object_name.h"
#include "api/storage/remote_object.h"
#include "api/storage/storage_client.h"
#include "io/base/crc32c.h"
#include "io/base/error.h"

namespace sluice {

class ObjectUpload {
 public:
  // All must outlive the object.
  ObjectUpload(const GoogleService& service, const ObjectName& name, const StageSource& source,
               const UploadObjectOptions& options, std::stop_token stop)
      : service_(service),
        name_(name),
        source_(source),
        options_(options),
        stop_(std::move(stop)),
        backoff_(service.options().retry, std::random_device{}()) {}

  // What the service says that it stored. Errors: kConflict when an object of that name is there
  // and must not be overwritten; those of the source; kRefused (also for a session at another
  // origin, to which nothing is sent); kTransport or kUnavailable when several questions in a row
  // found no progress; others as Batches.
  [[nodiscard]] Result<RemoteObject> Run();

  // Of the source's bytes; reads it when sending did not come to its end.
  [[nodiscard]] Result<std::string> Crc32cOfSource();

 private:
  // What the session says of itself.
  struct Standing {
    enum Kind { kStored, kIncomplete, kGone, kUnclear } kind = kUnclear;
    uint64_t received = 0;                    // kIncomplete
    std::optional<RemoteObject> object = {};  // kStored
    std::optional<Error> error = {};          // kUnclear: why
  };

  Result<std::string> Start();
  // The object, or nothing when the session is gone.
  Result<std::optional<RemoteObject>> SendThrough(const std::string& url);
  Result<Standing> SendChunk(const std::string& url, uint64_t offset);
  Result<Standing> Ask(const std::string& url);
  // Waits after an error, then asks.
  Result<Standing> AskAfter(const std::string& url, const Error& error, int idle);
  Result<Standing> ReadStanding(const Result<HttpResponse>& answer,
                                const HttpRequest& request) const;
  HttpRequest SessionRequest(const std::string& url, std::string content_range) const;
  Result<void> OpenBodyAt(uint64_t offset);
  std::string Label() const;

  const GoogleService& service_;
  const ObjectName& name_;
  const StageSource& source_;
  const UploadObjectOptions& options_;
  const std::stop_token stop_;
  Backoff backoff_;
  std::optional<HashedBody<Crc32cSum>> body_;
  std::string crc32c_;
};

}  // namespace sluice
