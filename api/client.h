// Client: everything that a program needs to work with batches at the Gemini Developer API or at
// Vertex AI, in one object: the key or the sign-in, the connection, the clock, Batches and Files.
//
// Thread-safe. The calls of Batches and Files are those of batches() and files(); their errors,
// deadlines and repetitions stand with them.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "api/auth/api_key.h"
#include "api/batches/batches_client.h"
#include "api/files/files_client.h"
#include "api/http/retry.h"
#include "io/base/error.h"

namespace sluice {

// How a program signs in, and with it which API it works with.
enum class SignIn {
  kApiKey,  // the Gemini Developer API, by a key of AI Studio
  kVertex,  // Vertex AI, by application default credentials: see api/auth/default_credentials.h
};

struct ClientOptions {
  SignIn sign_in = SignIn::kApiKey;
  // Vertex AI. Empty: GOOGLE_CLOUD_PROJECT, else the project of the credentials; and
  // GOOGLE_CLOUD_LOCATION, else "global".
  std::string project = {};
  std::string location = {};
  std::string api_key = {};  // empty: from `api_key_file`, else from the environment
  // A path or "-" (standard input). Empty: GOOGLE_API_KEY, else GEMINI_API_KEY.
  std::string api_key_file = {};
  // Empty: GOOGLE_GEMINI_BASE_URL, at Vertex AI GOOGLE_VERTEX_BASE_URL, else the service's own
  // address. At Vertex AI it serves Cloud Storage and BigQuery, too, unless STORAGE_EMULATOR_HOST
  // and BIGQUERY_EMULATOR_HOST say otherwise.
  std::string base_url = {};
  // Empty: GOOGLE_GENAI_API_VERSION, else "v1beta"; at Vertex AI "v1".
  std::string api_version = {};
  std::chrono::milliseconds request_timeout{120'000};  // of one exchange without a large body
  std::chrono::milliseconds stall_timeout{60'000};     // no byte moved for so long
  RetryPolicy retry = {};                              // of calls that may be repeated
  std::vector<std::string> upload_mime_types = Files::DefaultMimeTypes();
  std::string user_agent = "sluice";
  std::string ca_file = {};            // certificates to trust instead of the system's, in PEM
  EnvironmentLookup environment = {};  // empty: the process's own
  // A connection that dies may raise SIGPIPE, which ends a process that does not ignore it. True:
  // the process is made to ignore it, unless it has a handler of its own.
  bool ignore_sigpipe = true;
};

class Client {
 public:
  virtual ~Client() = default;
  [[nodiscard]] virtual const Batches& batches() const = 0;
  // Of the Gemini Developer API. Vertex AI has none: there every call is kUsage.
  [[nodiscard]] virtual Files& files() = 0;
};

// Sends nothing yet, but may ask the metadata server whether it is there. A service on loopback
// needs no key and no sign-in. Errors: kAuth without a key or with one that cannot be one, or when
// nobody is signed in; kUsage for an address, a version, a project or a location that cannot be
// used; kIo.
[[nodiscard]] Result<std::unique_ptr<Client>> MakeClient(ClientOptions options = {});

}  // namespace sluice
