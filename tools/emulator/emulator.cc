#include "tools/emulator/emulator.h"

#include <charconv>
#include <fmt/format.h>
#include <optional>
#include <stop_token>

#include "tools/emulator/routes.h"
#include "tools/emulator/runner.h"
#include "tools/emulator/shifted_clock.h"
#include "tools/emulator/vertex_job_form.h"

namespace sluice {

namespace {

struct Address {
  std::string host;  // numeric
  uint16_t port = 0;
};

Result<Address> ParseAddress(const std::string& listen) {
  const size_t colon = listen.rfind(':');
  Address address{.host = listen.substr(0, colon)};
  if (address.host == "localhost") {
    address.host = "127.0.0.1";
  } else if (address.host == "[::1]") {
    address.host = "::1";
  }
  const std::string digits = colon == std::string::npos ? "" : listen.substr(colon + 1);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
    return Fail(ErrorCode::kUsage, fmt::format("'{}' is not an address", listen),
                "write HOST:PORT, such as 127.0.0.1:8787");
  }
  if (!address.host.starts_with("127.") && address.host != "::1") {
    return Fail(ErrorCode::kUsage, fmt::format("'{}' is not on loopback", listen),
                "the local service takes any key, so it listens on 127.0.0.1 or [::1] only");
  }
  return address;
}

}  // namespace

// In the order in which the parts need each other; they go away in the opposite order.
struct Emulator::State {
  explicit State(EmulatorOptions wanted) : options(std::move(wanted)) {
    clock.emplace(options.clock != nullptr ? *options.clock : system_clock);
  }

  EmulatorOptions options;
  SystemClock system_clock;
  std::optional<ShiftedClock> clock;
  std::unique_ptr<FileSystem> files = MakePosixFileSystem();
  std::unique_ptr<Faults> faults;
  std::unique_ptr<Journal> journal;
  Counters counters;
  std::unique_ptr<FileStore> store;
  std::unique_ptr<Uploads> uploads;
  std::unique_ptr<Jobs> jobs;
  std::unique_ptr<ObjectStore> objects;
  std::unique_ptr<Uploads> object_uploads;
  std::unique_ptr<TableStore> tables;
  std::unique_ptr<Jobs> cloud_jobs;
  std::unique_ptr<JobForm> form, cloud_form;
  std::optional<TokenStore> tokens;
  std::optional<ServiceAccount> account;
  std::stop_source stop;
  std::optional<Service> service;
  std::string host;
  std::unique_ptr<Runner> runner, cloud_runner;
  std::unique_ptr<HttpServer> server;

  Result<void> OpenState() {
    const std::string& folder = options.state_folder;
    SLUICE_TRY(files->MakeFolders(folder));
    SLUICE_ASSIGN(journal, Journal::Open(*files, folder + "/journal.jsonl", *clock));
    SLUICE_ASSIGN(store, FileStore::Open(*files, folder + "/files", *clock));
    SLUICE_ASSIGN(uploads, Uploads::Open(*files, folder + "/uploads"));
    SLUICE_TRY(uploads->Settle([&](const std::string& id) { return store->Find(id).has_value(); }));
    SLUICE_ASSIGN(jobs, Jobs::Open(*files, folder + "/jobs", *clock,
                                   {.latency_min = options.job_latency_min,
                                    .latency_max = options.job_latency_max,
                                    .seed = options.seed}));
    return OpenCloudState();
  }

  Result<void> OpenCloudState() {
    const std::string folder = options.state_folder + "/objects";
    SLUICE_ASSIGN(objects, ObjectStore::Open(*files, folder, *clock));
    SLUICE_ASSIGN(object_uploads, Uploads::Open(*files, folder + "/uploads"));
    SLUICE_ASSIGN(tables, TableStore::Open(*files, options.state_folder + "/tables"));
    // Jobs wait for three days at most (the overview of batch inference, 2026-08).
    SLUICE_ASSIGN(cloud_jobs, Jobs::Open(*files, options.state_folder + "/cloud-jobs", *clock,
                                         {.latency_min = options.job_latency_min,
                                          .latency_max = options.job_latency_max,
                                          .seed = options.seed,
                                          .lifetime = std::chrono::hours(72)}));
    for (const std::string& bucket : options.buckets) {
      SLUICE_TRY(objects->MakeBucket(bucket));
    }
    tokens.emplace(*clock, options.token_life, !options.credentials_file.empty());
    if (!options.credentials_file.empty()) {
      SLUICE_ASSIGN(account, ServiceAccount::OfFile(*files, options.credentials_file));
    }
    return {};
  }

  Result<void> Serve(const Address& address) {
    service.emplace(Service{.options = options,
                            .files = *files,
                            .clock = *clock,
                            .faults = *faults,
                            .journal = *journal,
                            .counters = counters,
                            .store = *store,
                            .uploads = *uploads,
                            .jobs = *jobs,
                            .objects = *objects,
                            .object_uploads = *object_uploads,
                            .tables = *tables,
                            .cloud_jobs = *cloud_jobs,
                            .tokens = *tokens,
                            .account = account,
                            .stop = stop.get_token()});
    SLUICE_ASSIGN(server, HttpServer::Start(address.host, address.port, [this](Exchange& exchange) {
                    HandleExchange(*service, exchange);
                  }));
    host = address.host == "::1" ? "[::1]" : address.host;
    if (account.has_value()) {
      SLUICE_TRY(
          account->WriteFile(*files, options.credentials_file,
                             fmt::format("http://{}:{}", host, static_cast<int>(server->port()))));
    }
    form = MakeGeminiJobForm(*files, *jobs, *store);
    cloud_form = MakeVertexJobForm(*objects, *tables, *faults, *clock);
    runner = StartRunner(*jobs, *form);
    cloud_runner = StartRunner(*cloud_jobs, *cloud_form);
    return {};
  }

  std::unique_ptr<Runner> StartRunner(Jobs& its_jobs, JobForm& its_form) {
    const RunnerParts parts{.files = *files,
                            .clock = *clock,
                            .jobs = its_jobs,
                            .form = its_form,
                            .faults = *faults,
                            .journal = *journal,
                            .counters = counters};
    return std::make_unique<Runner>(
        parts, RunnerOptions{
                   .shuffle = options.shuffle, .seed = options.seed, .workers = options.workers});
  }
};

Result<std::unique_ptr<Emulator>> Emulator::Start(EmulatorOptions options) {
  SLUICE_ASSIGN(const Address address, ParseAddress(options.listen));
  if (options.state_folder.empty()) {
    return Fail(ErrorCode::kUsage, "the local service needs a folder for its state");
  }
  auto state = std::make_unique<State>(std::move(options));
  SLUICE_ASSIGN(state->faults, Faults::Parse(state->options.faults, state->options.seed));
  SLUICE_TRY(state->OpenState());
  SLUICE_TRY(state->Serve(address));
  return std::make_unique<Emulator>(std::move(state));
}

Emulator::Emulator(std::unique_ptr<State> state) : state_(std::move(state)) {}

Emulator::~Emulator() { Stop(); }

int Emulator::port() const { return state_->server->port(); }

std::string Emulator::base_url() const { return fmt::format("http://{}:{}", state_->host, port()); }

EmulatorCounters Emulator::counters() const { return state_->counters.Read(); }

void Emulator::Stop() {
  state_->stop.request_stop();
  state_->server->Stop();
  state_->runner.reset();
  state_->cloud_runner.reset();
}

}  // namespace sluice
