#include "tools/cloud_files.h"

#include <filesystem>
#include <fmt/format.h>
#include <mutex>

#include "api/batches/vertex_services.h"
#include "api/http/curl_transport.h"
#include "api/storage/object_file_system.h"
#include "api/storage/storage_client.h"
#include "tools/version.h"

namespace sluice {
namespace {

std::string ContentTypeOf(std::string_view path) {
  return path.ends_with(".jsonl") ? "application/jsonl" : "application/octet-stream";
}

}  // namespace

struct CloudFiles::State {
  State(Clock& a_clock, std::stop_token a_stop)
      : clock(a_clock),
        stop(std::move(a_stop)),
        objects(*local, [this] { return Storage(); }, stop) {}

  Result<StorageClient> Storage() {
    const std::scoped_lock lock(mutex);
    if (service == nullptr) {
      StoragePlace place = StorageOfEnvironment(ProcessVariable);
      transport = MakeCurlTransport({.user_agent = fmt::format("sluice/{}", kVersion)});
      if (!place.is_emulator) {
        const std::string base_url = address();
        SLUICE_ASSIGN(VertexSignIn sign_in,
                      SignInToVertex(base_url, ProcessVariable, *transport, clock, stop));
        place.options.tokens = std::move(sign_in.tokens);
        place.options.base_url = base_url.empty() ? place.options.base_url : base_url;
      }
      SLUICE_ASSIGN(service, GoogleService::Make(std::move(place.options), *transport, clock));
    }
    return StorageClient(*service);
  }

  Clock& clock;
  const std::stop_token stop;
  const std::unique_ptr<FileSystem> local = MakePosixFileSystem();
  ObjectFileSystem objects;
  std::function<std::string()> address = [] { return std::string(); };
  std::mutex mutex;  // guards all below
  std::unique_ptr<Transport> transport;
  std::unique_ptr<GoogleService> service;
};

CloudFiles::CloudFiles(Clock& clock, std::stop_token stop)
    : state_(std::make_unique<State>(clock, std::move(stop))) {}

CloudFiles::~CloudFiles() = default;

FileSystem& CloudFiles::files() { return state_->objects; }

void CloudFiles::ServedBy(std::function<std::string()> address) {
  state_->address = std::move(address);
}

Result<void> CloudFiles::ExpectPlace(const ObjectName& target) {
  SLUICE_ASSIGN(const StorageClient storage, state_->Storage());
  const auto page =
      storage.List(target.bucket, {.prefix = target.object, .page_size = 1}, state_->stop);
  // Who may write objects need not be allowed to list them.
  const bool is_told_nothing = !page.has_value() && page.error().http_status == 403;
  return page.has_value() || is_told_nothing ? Result<void>() : std::unexpected(page.error());
}

Result<std::vector<std::string>> CloudFiles::Publish(const std::vector<std::string>& paths,
                                                     const ObjectName& target) {
  SLUICE_ASSIGN(const StorageClient storage, state_->Storage());
  const std::string folder = target.object.substr(0, target.object.rfind('/') + 1);
  std::vector<std::string> addresses;
  for (const std::string& path : paths) {
    ObjectName name = target;
    if (!addresses.empty()) {
      name.object = folder + std::filesystem::path(path).filename().string();
    }
    SLUICE_ASSIGN(const StageSource source, SourceOfFile(path));
    SLUICE_TRY(storage.Upload(
        name, source, {.content_type = ContentTypeOf(path), .overwrite = true}, state_->stop));
    addresses.push_back(FormatObjectUri(name));
  }
  return addresses;
}

}  // namespace sluice
