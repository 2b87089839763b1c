// Vertex AI as a Provider: shards are objects below gs://BUCKET/PREFIX, or tables of a BigQuery
// dataset; each attempt has a name of its own on both sides:
//
//   objects   PREFIX/in/<file id>.jsonl     answers below PREFIX/out/<file id>/
//   tables    DATASET.in_<file id>          answers in DATASET.out_<file id>
//
// The fence is deleting the object or the table: a job whose input is gone fails and costs nothing.
// Jobs bear the label sluice=<run>-<shard>-<attempt>, by which they are listed (`labels.key:*`,
// REST reference of projects.locations.batchPredictionJobs.list).
#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/batches/vertex_services.h"
#include "api/files/sha256.h"
#include "api/http/google_error.h"
#include "api/http/json_fields.h"
#include "api/protocol/model_id.h"
#include "api/protocol/vertex_model.h"
#include "api/provider/provider.h"
#include "api/provider/providers.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr const char* kLabel = "sluice";
// A label of BigQuery holds 63 characters; 40 hex digits of SHA-256 tell any two shards apart.
constexpr const char* kHashLabel = "sluice_sha256";
constexpr size_t kHashLabelDigits = 40;
constexpr int kUnavailable = 14;  // google.rpc.Code

// "run-shard-attempt" of "sluice/run/shard/attempt".
std::string LabelOf(std::string_view display_name) {
  std::string label(display_name.substr(display_name.find('/') + 1));
  std::ranges::replace_if(
      label, [](char c) { return !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'); },
      '-');
  return label.substr(0, std::min<size_t>(label.size(), 63));
}

Result<std::string> HashOf(const StageSource& source, const std::stop_token& stop) {
  SLUICE_ASSIGN(const auto bytes, source.open());
  Sha256 hash;
  std::vector<std::byte> buffer(size_t{1} << 16);
  while (!stop.stop_requested()) {
    SLUICE_ASSIGN(const size_t count, bytes->Read(buffer));
    if (count == 0) {
      return hash.HexDigest();
    }
    hash.Update(std::span(buffer).first(count));
  }
  return Fail(ErrorCode::kUnfinished, "stopped while reading a shard");
}

Result<std::vector<float>> ReadVector(const HttpResponse& answer, int dimension) {
  const Json body = ParseJson(answer.body);
  const Json* predictions = FindMember(body, "predictions");
  const bool is_list = predictions != nullptr && predictions->is_array() && !predictions->empty();
  const Json* values = FindMember(
      is_list ? ObjectMember(predictions->front(), "embeddings") : ObjectMember(body, "embedding"),
      "values");
  auto vector = values != nullptr && values->is_array() ? FiniteFloats(*values) : std::nullopt;
  const bool fits = vector && !vector->empty() &&
                    (dimension == 0 || vector->size() == static_cast<size_t>(dimension));
  if (!fits) {
    return Fail(ErrorCode::kBadAnswer, "the answer holds no vector of the length asked for");
  }
  return *std::move(vector);
}

// Where a run keeps what it sends and gets.
struct VertexStore {
  ObjectPrefix objects;  // no bucket: everything goes by tables
  std::string dataset;   // empty: everything goes by objects
};

class VertexProvider final : public Provider {
 public:
  VertexProvider(ProviderTraits traits, std::unique_ptr<VertexServices> services, VertexStore store,
                 uint64_t answer_bytes_max)
      : traits_(std::move(traits)),
        services_(std::move(services)),
        store_(std::move(store)),
        answer_bytes_max_(answer_bytes_max) {}

  const ProviderTraits& traits() const override { return traits_; }

  // Jobs of one project or location are not found from another.
  std::string account_fingerprint() const override {
    return Sha256Hex(services_->vertex().AccountFingerprint() + services_->place().parent())
        .substr(0, 16);
  }

  Result<std::string> Stage(const StageSource& source, const std::string& file_id,
                            const ByteProgress& progress, std::stop_token stop) override {
    if (store_.dataset.empty() && store_.objects.bucket.empty()) {
      return Fail(ErrorCode::kUsage, "there is no bucket and no dataset for shards");
    }
    return store_.dataset.empty() ? StageObject(source, file_id, progress, stop)
                                  : StageTable(source, file_id, progress, stop);
  }

  CreateAnswer CreateJob(const CreateJobRequest& request, std::stop_token stop) override {
    CreateJobRequest job = request;
    const std::string file = std::exchange(job.staged_file, "");
    if (IsTableUri(file)) {
      job.bigquery_uri = file;
      job.output_bigquery_uri = AnswerTableOf(file);
    } else {
      job.gcs_uris = {file};
      job.output_gcs_uri = AnswerPrefixOf(file);
    }
    job.labels[kLabel] = LabelOf(request.display_name);
    return services_->batches().Create(job, std::move(stop));
  }

  // A job that ended may say nothing of its results though there are some; and one that failed
  // because its input was deleted before it was read, which is how an attempt is fenced off, can
  // be made anew.
  Result<BatchJob> GetJob(const std::string& name, std::stop_token stop) override {
    SLUICE_ASSIGN(BatchJob job, services_->batches().Get(name, stop));
    if (!job.done || job.has_results()) {
      return job;
    }
    SLUICE_ASSIGN(job.result_file,
                  services_->answers().Find(job.destination, job.create_time, stop));
    if (!job.has_results() && job.error && !job.source_file.empty()) {
      SLUICE_ASSIGN(const bool is_there, HasInput(job.source_file, std::move(stop)));
      job.error->code = is_there ? job.error->code : kUnavailable;
    }
    return job;
  }

  Result<JobPage> ListJobs(const std::string& page_token, std::stop_token stop) override {
    SLUICE_ASSIGN(JobPage page,
                  services_->batches().List(
                      {.page_token = page_token, .filter = fmt::format("labels.{}:*", kLabel)},
                      std::move(stop)));
    for (BatchJob& job : page.jobs) {
      job.source_file = AsStaged(std::move(job.source_file));
    }
    return page;
  }
  Result<void> CancelJob(const std::string& name, std::stop_token stop) override {
    return services_->batches().Cancel(name, std::move(stop));
  }
  Result<void> DeleteJob(const std::string& name, std::stop_token stop) override {
    return services_->batches().Delete(name, std::move(stop));
  }

  Result<void> DeleteFile(const std::string& name, std::stop_token stop) override {
    if (IsTableUri(name)) {
      SLUICE_ASSIGN(const TableName table, ParseTableUri(name));
      return services_->tables().DeleteTable(table, std::move(stop));
    }
    SLUICE_ASSIGN(const ObjectName object, ParseObjectUri(name));
    const auto deleted = services_->storage().Delete(object, std::move(stop));
    const bool gone = !deleted && deleted.error().code == ErrorCode::kNotFound;
    return gone ? Result<void>() : deleted;
  }

  Result<uint64_t> FetchAnswers(const BatchJob& job, const BodyWriter& writer,
                                const std::function<Result<void>()>& restart,
                                std::stop_token stop) override {
    BatchJob whole = job;
    if (!whole.has_results()) {
      SLUICE_ASSIGN(whole, GetJob(job.name, stop));
    }
    return services_->batches().FetchAnswers(whole, answer_bytes_max_, writer, restart,
                                             std::move(stop));
  }

  Result<std::vector<float>> EmbedText(const std::string& model, const std::string& text,
                                       int dimension, std::stop_token stop) override {
    SLUICE_ASSIGN(const std::string path, ModelPath(model));
    // The second generation has a method like that of the Gemini Developer API.
    const bool predicts = !ModelIdOf(model).starts_with("gemini-embedding-2");
    Json body;
    if (predicts) {
      body["instances"] = Json::array({{{"content", text}}});
      body["parameters"] =
          dimension > 0 ? Json{{"outputDimensionality", dimension}} : Json::object();
    } else {
      body["content"]["parts"] = Json::array({{{"text", text}}});
      if (dimension > 0) {
        body["outputDimensionality"] = dimension;
      }
    }
    const GoogleService& vertex = services_->vertex();
    return vertex.Call<std::vector<float>>(
        Repeat::kSafe,
        vertex.JsonRequest("POST",
                           fmt::format("/{}/publishers/google/{}:{}", services_->place().parent(),
                                       path, predicts ? "predict" : "embedContent"),
                           body.dump(-1, ' ', false, Json::error_handler_t::replace),
                           std::move(stop)),
        [&](const HttpResponse& answer) { return ReadVector(answer, dimension); });
  }

 private:
  ObjectName ObjectOf(const std::string& file_id) const {
    return {.bucket = store_.objects.bucket,
            .object = fmt::format("{}in/{}.jsonl", store_.objects.prefix, file_id)};
  }

  // Our tables are in our project, whether the service calls it by its id or by its number.
  std::string AsStaged(std::string file) const {
    auto table = ParseTableUri(file);
    if (!table.has_value()) {
      return file;
    }
    table->project = services_->place().project;
    return FormatTableUri(*table);
  }

  // "gs://bucket/prefix/out/x" of "gs://bucket/prefix/in/x.jsonl".
  static std::string AnswerPrefixOf(std::string file) {
    constexpr std::string_view kIn = "/in/";
    constexpr std::string_view kSuffix = ".jsonl";
    if (const size_t place = file.rfind(kIn); place != std::string::npos) {
      file.replace(place, kIn.size(), "/out/");
    }
    return file.substr(0, file.size() - (file.ends_with(kSuffix) ? kSuffix.size() : 0));
  }

  // "bq://p.d.out_x" of "bq://p.d.in_x".
  static std::string AnswerTableOf(std::string file) {
    constexpr std::string_view kIn = ".in_";
    if (const size_t place = file.rfind(kIn); place != std::string::npos) {
      file.replace(place, kIn.size(), ".out_");
    }
    return file;
  }

  TableName TableOf(std::string file_id) const {
    std::ranges::replace(file_id, '-', '_');
    return {
        .project = services_->place().project, .dataset = store_.dataset, .table = "in_" + file_id};
  }

  Result<std::string> StageObject(const StageSource& source, const std::string& file_id,
                                  const ByteProgress& progress, const std::stop_token& stop) const {
    const ObjectName name = ObjectOf(file_id);
    SLUICE_TRY(services_->storage().Upload(
        name, source, {.content_type = "application/jsonl", .progress = progress}, stop));
    return FormatObjectUri(name);
  }

  // The label tells a later try, which finds the job by its id, whether it loaded the same rows.
  Result<std::string> StageTable(const StageSource& source, const std::string& file_id,
                                 const ByteProgress& progress, const std::stop_token& stop) const {
    const BigQueryClient& tables = services_->tables();
    SLUICE_ASSIGN(const std::string hash, HashOf(source, stop));
    const TableName table = TableOf(file_id);
    const LoadOptions options{.job_id = "sluice_load_" + file_id,
                              .columns = {{.name = "key", .type = "STRING", .required = true},
                                          {.name = "request", .type = "JSON", .required = true}},
                              .labels = {{kHashLabel, hash.substr(0, kHashLabelDigits)}},
                              .progress = progress};
    SLUICE_TRY(tables.MakeDataset(store_.dataset, stop));
    SLUICE_ASSIGN(const TableJob job, LoadTable(table, source, file_id, options, stop));
    const auto label = job.labels.find(kHashLabel);
    if (label == job.labels.end() || label->second != hash.substr(0, kHashLabelDigits)) {
      return Fail(ErrorCode::kConflict, fmt::format("{} holds other rows", FormatTableUri(table)));
    }
    return FormatTableUri(table);
  }

  // Through the bucket where there is one: such a load goes on where a broken transfer left it.
  Result<TableJob> LoadTable(const TableName& table, const StageSource& source,
                             const std::string& file_id, const LoadOptions& options,
                             const std::stop_token& stop) const {
    const BigQueryClient& tables = services_->tables();
    if (store_.objects.bucket.empty()) {
      return tables.LoadByUpload(table, source, options, stop);
    }
    const ObjectName object = ObjectOf(file_id);
    SLUICE_TRY(services_->storage().Upload(
        object, source, {.content_type = "application/jsonl", .progress = options.progress}, stop));
    auto loaded = tables.Load(table, {FormatObjectUri(object)}, options, stop);
    const bool has_failed =
        !loaded.has_value() && (loaded.error().code == ErrorCode::kConflict ||
                                loaded.error().code == ErrorCode::kRemoteFailed);
    if (loaded.has_value() || has_failed) {  // the load has ended, and nobody reads it any more
      SLUICE_TRY(services_->storage().Delete(object, stop));
    }
    return loaded;
  }

  Result<bool> HasInput(const std::string& source, std::stop_token stop) const {
    if (IsTableUri(source)) {
      SLUICE_ASSIGN(const TableName table, ParseTableUri(source));
      return services_->tables().HasTable(table, std::move(stop));
    }
    SLUICE_ASSIGN(const ObjectName object, ParseObjectUri(source));
    const auto found = services_->storage().Get(object, std::move(stop));
    if (!found.has_value() && found.error().code != ErrorCode::kNotFound) {
      return std::unexpected(found.error());
    }
    return found.has_value();
  }

  const ProviderTraits traits_;
  const std::unique_ptr<VertexServices> services_;
  const VertexStore store_;
  const uint64_t answer_bytes_max_;
};

Result<VertexStore> ReadStore(const ProviderOptions& options) {
  VertexStore store;
  if (!options.bucket.empty()) {
    const std::string uri = IsObjectUri(options.bucket) ? options.bucket : "gs://" + options.bucket;
    SLUICE_ASSIGN(store.objects, ParseFolderUri(uri));
  }
  store.dataset = options.bigquery_dataset;
  if (!store.dataset.empty() && !IsDatasetName(store.dataset)) {
    return Fail(ErrorCode::kUsage,
                fmt::format("'{}' is not a dataset of BigQuery", PrintableText(store.dataset, 80)));
  }
  const bool is_global = options.location.empty() || options.location == "global";
  if (!store.dataset.empty() && is_global) {
    return Fail(ErrorCode::kUsage, "--bigquery-dataset needs the region of the dataset",
                "--location NAME, like us-central1");
  }
  // Gemini embedding models read no tables; text embedding models do, but a row of a table carries
  // no settings for them: length and task would be lost without a word.
  if (!store.dataset.empty() &&
      VertexModelKindOf(options.model, options.task) != VertexModelKind::kGeneration) {
    return Fail(ErrorCode::kUsage,
                fmt::format("{} does not go by tables: --bigquery-dataset is for generation models",
                            PrintableText(options.model, 80)),
                "embedding models read Cloud Storage: --bucket NAME[/PREFIX]");
  }
  return store;
}

}  // namespace

ProviderTraits VertexTraits(Task task, std::string_view model) {
  ProviderTraits traits;
  traits.name = "vertex";
  // "1 GB" for an input file (batch inference overview, 2026-08); whether that is 1e9 or 2^30 is
  // not said.
  traits.shard_bytes_max = 950'000'000;
  // Rows of one job, by the batch pages for each kind of model (2026-08). Jobs of Gemini models
  // share a pool without a fixed quota; of text embeddings four run at once, and more of them queue
  // (quota textembedding_gecko_concurrent_batch_prediction_jobs).
  switch (VertexModelKindOf(model, task)) {
    case VertexModelKind::kGeneration:
      traits.shard_rows_max = 200'000;
      break;
    case VertexModelKind::kGeminiEmbedding:
      traits.shard_rows_max = 1'000'000;
      break;
    case VertexModelKind::kTextEmbedding:
      traits.shard_rows_max = 30'000;
      traits.jobs_in_flight_max = 4;
      break;
  }
  // As at the Gemini Developer API: the lag of the list is not documented, jobs take minutes to
  // hours, and Google's samples poll every 30 s.
  traits.settle = std::chrono::seconds(120);
  traits.poll_first = std::chrono::seconds(30);
  traits.poll_max = std::chrono::seconds(300);
  return traits;
}

Result<std::unique_ptr<Provider>> MakeVertexProvider(const ProviderOptions& options,
                                                     Transport& transport, Clock& clock) {
  SLUICE_ASSIGN(VertexStore store, ReadStore(options));
  SLUICE_ASSIGN(
      auto services,
      VertexServices::Make({.place = {.project = options.project, .location = options.location},
                            .base_url = options.base_url,
                            .api_version = options.api_version,
                            .tokens = options.tokens,
                            .environment = options.environment,
                            .request_timeout = options.request_timeout,
                            .stall_timeout = options.stall_timeout,
                            .retry = options.retry},
                           transport, clock));
  return std::make_unique<VertexProvider>(VertexTraits(options.task, options.model),
                                          std::move(services), std::move(store),
                                          options.answer_bytes_max);
}

}  // namespace sluice
