// VertexServices: Vertex AI, Cloud Storage and BigQuery as one sign-in uses them, and the clients
// that stand on them. Thread-safe.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "api/auth/access_tokens.h"
#include "api/auth/api_key.h"
#include "api/batches/batches_client.h"
#include "api/batches/vertex_answers.h"
#include "api/batches/vertex_place.h"
#include "api/bigquery/bigquery_client.h"
#include "api/http/google_service.h"
#include "api/storage/storage_client.h"
#include "io/base/error.h"

namespace sluice {

struct VertexServicesOptions {
  VertexPlace place = {};
  // Serves all three, as the local service does; empty: each has its own address. The variables
  // STORAGE_EMULATOR_HOST and BIGQUERY_EMULATOR_HOST go before it.
  std::string base_url = {};
  std::string api_version = {};               // of Vertex AI; empty: "v1"
  std::shared_ptr<AccessTokens> tokens = {};  // empty: nobody signs in (a service on loopback)
  EnvironmentLookup environment = {};         // empty: there are no variables
  std::chrono::milliseconds request_timeout{120'000};
  std::chrono::milliseconds stall_timeout{60'000};
  RetryPolicy retry = {};
};

class VertexServices {
 public:
  // Sends nothing. `transport` and `clock` must outlive it. Errors: kUsage.
  [[nodiscard]] static Result<std::unique_ptr<VertexServices>> Make(
      const VertexServicesOptions& options, Transport& transport, Clock& clock);

  [[nodiscard]] const VertexPlace& place() const { return place_; }
  [[nodiscard]] const GoogleService& vertex() const { return *vertex_; }
  [[nodiscard]] const Batches& batches() const { return *batches_; }
  [[nodiscard]] const VertexAnswers& answers() const { return answers_; }
  [[nodiscard]] const StorageClient& storage() const { return storage_; }
  [[nodiscard]] const BigQueryClient& tables() const { return tables_; }

 private:
  struct Parts {
    std::unique_ptr<GoogleService> vertex, storage, tables;
  };
  VertexServices(VertexPlace place, Parts parts);

  const VertexPlace place_;
  const std::unique_ptr<GoogleService> vertex_, storage_service_, tables_service_;
  const StorageClient storage_;
  const BigQueryClient tables_;
  const VertexAnswers answers_;
  std::unique_ptr<const Batches> batches_;
};

// Signing in to Google Cloud: FindDefaultCredentials(), but nobody need sign in to a service on
// loopback, and then the metadata server is not looked for either. Errors: as there.
struct VertexSignIn {
  std::shared_ptr<AccessTokens> tokens = {};
  std::string project_id = {};
};
[[nodiscard]] Result<VertexSignIn> SignInToVertex(const std::string& base_url,
                                                  const EnvironmentLookup& environment,
                                                  Transport& transport, Clock& clock,
                                                  const std::stop_token& stop = {});

}  // namespace sluice
