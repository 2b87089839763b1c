// Application default credentials: whose sign-in calls of Google Cloud use, found in the order in
// which all of Google's libraries look (https://cloud.google.com/docs/authentication, 2026-11):
//
//   SLUICE_GOOGLE_ACCESS_TOKEN      a token as `gcloud auth print-access-token` prints it (ours)
//   GOOGLE_APPLICATION_CREDENTIALS  a key file; one that cannot be used is an error
//   the well-known file of gcloud   application_default_credentials.json in $CLOUDSDK_CONFIG, else
//                                   in ~/.config/gcloud
//   the metadata server             GCE_METADATA_HOST, GCE_METADATA_IP; NO_GCE_CHECK=true: not
//   asked
//
// Immutable functions, thread-safe.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "api/auth/access_tokens.h"
#include "api/auth/api_key.h"
#include "api/http/transport.h"
#include "io/base/clock.h"
#include "io/base/error.h"

namespace sluice {

struct Credentials {
  std::shared_ptr<AccessTokens> tokens = {};
  std::string project_id = {};  // of the key file or the metadata server; empty: not told
  std::string origin = {};      // for messages: a variable's name, a path, "the metadata server"
};

// Reads files and may ask the metadata server whether it is there, but fetches no token yet.
// `transport` and `clock` must outlive the tokens. Errors: kAuth with a hint when nobody is signed
// in or when a file is not what it should be; kUnfinished.
[[nodiscard]] Result<Credentials> FindDefaultCredentials(const EnvironmentLookup& environment,
                                                         Transport& transport, Clock& clock,
                                                         const std::stop_token& stop = {});

// GOOGLE_CLOUD_PROJECT, else GCLOUD_PROJECT; empty: neither is set.
[[nodiscard]] std::string ProjectOfEnvironment(const EnvironmentLookup& environment);
// GOOGLE_CLOUD_LOCATION, else "global", as the Gen AI SDKs have it (python-genai 1.52, 2026-11).
[[nodiscard]] std::string LocationOfEnvironment(const EnvironmentLookup& environment);

}  // namespace sluice
