// ResumableUpload: one file sent through Google's X-Goog-Upload protocol, across broken
// connections. One thread at a time.
//
// All bytes go in one request that also finalizes; the Photos guide calls that the faster way
// (developers.google.com/photos/library/guides/resumable-uploads, 2026), and it leaves no part to
// align to the granularity of 8 MiB. When it breaks, the session is asked how far it came and is
// sent the rest; what we believe we sent counts for nothing. A session that is gone is replaced,
// under the same file name. A session can be kept in a file: then another process goes on with it.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "api/files/stage_source.h"
#include "api/files/upload_session.h"
#include "api/http/google_service.h"
#include "io/base/error.h"

namespace sluice {

struct UploadRequest {
  std::string file_id = {};       // empty: the service makes one up
  std::string display_name = {};  // empty: none
  std::string mime_type = {};
  ByteProgress progress = {};
  const UploadSessionFile* session_file = nullptr;  // must outlive the upload; null: none
};

struct UploadEnd {
  std::string answer = {};  // the body of the final answer: {"file": {...}}
  std::string sha256 = {};  // hex of the source's bytes
};

class ResumableUpload {
 public:
  // All must outlive the object.
  ResumableUpload(const GoogleService& service, const StageSource& source,
                  const UploadRequest& request, std::stop_token stop)
      : service_(service),
        source_(source),
        request_(request),
        stop_(std::move(stop)),
        backoff_(service.options().retry, std::random_device{}()) {}

  // Errors: those of the source; kConflict (the name is taken); kRefused (also for an upload
  // address at another origin, to which nothing is sent); kTransport or kUnavailable when several
  // queries in a row found no progress; others as Batches.
  [[nodiscard]] Result<UploadEnd> Run();

 private:
  // What the session says of itself.
  struct Standing {
    enum Kind { kFinal, kActive, kGone, kUnclear } kind = kUnclear;
    uint64_t received = 0;            // kActive, when it was asked
    std::string answer;               // kFinal
    std::optional<Error> error = {};  // kUnclear: why
  };

  // Of the session in the file: a final answer, or nothing when there is none to go on with.
  Result<std::optional<std::string>> GoOn();
  Result<std::string> Start();
  // A final answer, or nothing when the session is gone. `begun`: in another process, so that the
  // session is asked first.
  Result<std::optional<std::string>> SendThrough(const std::string& url, bool begun);
  Result<Standing> SendFrom(const std::string& url, uint64_t offset);
  Result<Standing> Query(const std::string& url);
  Result<Standing> ReadStanding(const HttpResponse& answer, const HttpRequest& request) const;
  HttpRequest SessionRequest(const std::string& url, const char* command) const;
  Result<std::string> HashOfSource();
  std::string Label() const;

  const GoogleService& service_;
  const StageSource& source_;
  const UploadRequest& request_;
  const std::stop_token stop_;
  Backoff backoff_;
  std::string sha256_;
  bool was_broken_ = false;  // from then on each request has a connection of its own
};

}  // namespace sluice
