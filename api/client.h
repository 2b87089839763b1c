// Client: everything that a program needs to work with the Gemini Developer API's batches and
// files, in one object: the key, the connection, the clock, Batches and Files.
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

// How a program signs in. Vertex AI comes with its backend: until then, kUsage.
enum class SignIn { kApiKey, kVertex };

struct ClientOptions {
  SignIn sign_in = SignIn::kApiKey;
  std::string api_key = {};  // empty: from `api_key_file`, else from the environment
  // A path or "-" (standard input). Empty: GOOGLE_API_KEY, else GEMINI_API_KEY.
  std::string api_key_file = {};
  std::string base_url = {};     // empty: GOOGLE_GEMINI_BASE_URL, else the service's own address
  std::string api_version = {};  // empty: GOOGLE_GENAI_API_VERSION, else "v1beta"
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
  [[nodiscard]] virtual Files& files() = 0;
};

// Sends nothing yet. A service on loopback needs no key. Errors: kAuth without a key or with one
// that cannot be one; kUsage for an address, a version or a sign-in that cannot be used; kIo.
[[nodiscard]] Result<std::unique_ptr<Client>> MakeClient(ClientOptions options = {});

}  // namespace sluice
