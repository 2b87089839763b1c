#include "tools/emulator/batch_routes.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <limits>
#include <nlohmann/json.hpp>

#include "tools/emulator/create_faults.h"
#include "tools/emulator/json_field.h"
#include "tools/emulator/operation.h"
#include "tools/emulator/timestamp.h"

namespace sluice {

namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr size_t kBatchPageDefault = 50;

// A job to be created, and its requests when they came with the call.
struct Draft {
  Job job;
  std::string inlined_input;  // one request a line
};

// The object under `name`, whose members must be among `members`.
std::expected<const OrderedJson*, ApiError> ObjectMember(
    const OrderedJson& json, std::string_view name, std::string_view place,
    std::initializer_list<std::string_view> members) {
  const OrderedJson* object = FindField(json, name);
  if (object == nullptr || !object->is_object()) {
    return std::unexpected(InvalidArgument(fmt::format("* {} is not specified\n", place)));
  }
  if (const auto unknown = UnknownField(*object, members)) {
    return std::unexpected(UnknownName(*unknown, place));
  }
  return object;
}

// An int64 comes as a string or a number.
int64_t WholeMember(const OrderedJson& object, std::string_view name) {
  const OrderedJson* member = FindField(object, name);
  if (member == nullptr || !member->is_string()) {
    return member != nullptr && member->is_number_integer() ? member->get<int64_t>() : 0;
  }
  const auto& digits = member->get_ref<const std::string&>();
  int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::expected<void, ApiError> ReadInputFile(Service& service, const std::string& name, Job& job) {
  const std::string id = name.starts_with("files/") ? name.substr(6) : name;
  const auto file = service.store.Find(id);
  if (!file.has_value()) {
    return std::unexpected(ApiError{
        .code = RpcCode::kFailedPrecondition,
        .message =
            fmt::format("The File files/{} does not exist or is not in an ACTIVE state.", id)});
  }
  if (file->line_count == 0) {
    return std::unexpected(InvalidArgument(fmt::format("The File files/{} has no requests.", id)));
  }
  job.input_file = id;
  job.request_count = file->line_count;
  job.input_tokens = TokensIn(file->size);
  return {};
}

std::expected<void, ApiError> ReadInlined(const Model& model, const OrderedJson& input,
                                          Draft& draft) {
  SLUICE_ASSIGN(const OrderedJson* wrapper,
                ObjectMember(input, "requests", "batch.input_config.requests", {"requests"}));
  const OrderedJson* requests = FindField(*wrapper, "requests");
  if (requests == nullptr || !requests->is_array() || requests->empty()) {
    return std::unexpected(
        InvalidArgument("* batch.input_config.requests.requests is not specified\n"));
  }
  for (const OrderedJson& item : *requests) {
    if (!item.is_object() || FindField(item, "request") == nullptr) {
      return std::unexpected(InvalidArgument("* an inlined request lacks its 'request'\n"));
    }
    if (const auto unknown = UnknownField(item, {"request", "metadata"})) {
      return std::unexpected(UnknownName(*unknown, "batch.input_config.requests.requests[0]"));
    }
    SLUICE_TRY(CheckRequestFields(model, FindField(item, "request")->dump()));
    draft.inlined_input += item.dump() + '\n';
  }
  draft.job.request_count = requests->size();
  draft.job.input_tokens = TokensIn(draft.inlined_input.size());
  return {};
}

std::expected<Draft, ApiError> ReadDraft(Service& service, const Model& model,
                                         std::string_view body) {
  SLUICE_ASSIGN(const OrderedJson json, ParseMessage<OrderedJson>(body));
  if (const auto unknown = UnknownField(json, {"batch"})) {
    return std::unexpected(UnknownName(*unknown, ""));
  }
  SLUICE_ASSIGN(const OrderedJson* batch, ObjectMember(json, "batch", "batch",
                                                       {"displayName", "inputConfig", "model",
                                                        "priority", "webhookConfig", "name"}));
  SLUICE_ASSIGN(const OrderedJson* input, ObjectMember(*batch, "inputConfig", "batch.input_config",
                                                       {"fileName", "requests"}));
  Draft draft;
  draft.job.model = model.id;
  draft.job.use = model.use;
  draft.job.display_name = StringField(*batch, "displayName");
  draft.job.priority = WholeMember(*batch, "priority");
  const std::string file_name = StringField(*input, "fileName");
  const bool inlined = FindField(*input, "requests") != nullptr;
  if (inlined == !file_name.empty()) {
    return std::unexpected(
        InvalidArgument("* batch.input_config: exactly one of file_name and requests is set\n"));
  }
  if (inlined) {
    SLUICE_TRY(ReadInlined(model, *input, draft));
  } else {
    SLUICE_TRY(ReadInputFile(service, file_name, draft.job));
  }
  return draft;
}

constexpr std::string_view kHelp =
    R"({"@type":"type.googleapis.com/google.rpc.Help","links":[{"description":"Learn more about )"
    R"(Gemini API quotas","url":"https://ai.google.dev/gemini-api/docs/rate-limits"}]})";

ApiError QuotaExceeded(std::string_view more_details) {
  return {.code = RpcCode::kResourceExhausted,
          .message = "You exceeded your current quota, please check your plan and billing details.",
          .details = fmt::format("[{}{}]", kHelp, more_details)};
}

std::optional<ApiError> QuotaRefusal(Service& service, const Model& model) {
  if (service.faults.Happens(Fault::kQuotaPerDay)) {
    return QuotaExceeded(fmt::format(
        R"(,{{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{{)"
        R"("quotaMetric":"generativelanguage.googleapis.com/batch_requests_per_model_per_day",)"
        R"("quotaId":"BatchRequestsPerDayPerProjectPerModel",)"
        R"("quotaDimensions":{{"model":"{}","location":"global"}},"quotaValue":"250"}}]}})",
        model.id));
  }
  if (service.faults.Happens(Fault::kCreate429)) {
    const bool with_delay = service.faults.Word(Fault::kCreate429) == "retryinfo";
    return QuotaExceeded(
        with_delay ? R"(,{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1s"})"
                   : "");
  }
  if (service.jobs.ActiveCount() >= service.options.active_jobs_max) {
    return QuotaExceeded("");
  }
  return std::nullopt;
}

// The limit of what a model's active jobs may hold together.
std::optional<ApiError> EnqueuedRefusal(Service& service, const Job& job) {
  const uint64_t tokens = service.jobs.ActiveTokens(job.model) + job.input_tokens;
  const bool refused = tokens > service.faults.Number(Fault::kEnqueuedTokens) &&
                       service.faults.Happens(Fault::kEnqueuedTokens);
  return refused ? std::optional(QuotaExceeded("")) : std::nullopt;
}

OperationForm Form(Service& service) {
  return {.inlined_mark = "",
          .job_state_prefix = service.faults.Happens(Fault::kJobStatePrefix),
          .single_level = service.faults.Happens(Fault::kInlineSingleLevel)};
}

ApiError NoSuchBatch() {
  return {.code = RpcCode::kNotFound, .message = "Requested entity was not found."};
}

Result<Job> KeepJob(Service& service, Draft draft) {
  draft.job.fate = DrawFate(service.faults);
  SLUICE_ASSIGN(Job job, service.jobs.Create(std::move(draft.job), draft.inlined_input));
  service.counters.CountJobCreated();
  service.journal.Note("create", {{"job", "batches/" + job.id},
                                  {"displayName", job.display_name},
                                  {"inputFile", job.inlined() ? "" : "files/" + job.input_file},
                                  {"requests", fmt::format("{}", job.request_count)}});
  return job;
}

RouteAnswer CreateBatch(Service& service, Call& call, ModelUse use, std::string_view method) {
  const ApiAnswer body = ReadSmallBody(service, call.exchange);
  if (!body.has_value()) {
    return body;
  }
  const Model* model = FindModel(call.id);
  if (model == nullptr || model->use != use) {
    return std::unexpected(NoSuchModel(call.id, method));
  }
  if (auto refusal = QuotaRefusal(service, *model)) {
    return std::unexpected(*std::move(refusal));
  }
  auto draft = ReadDraft(service, *model, *body);
  if (!draft.has_value()) {
    return std::unexpected(draft.error());
  }
  if (auto refusal = EnqueuedRefusal(service, draft->job)) {
    return std::unexpected(*std::move(refusal));
  }
  if (service.faults.Happens(Fault::kCreateSlow)) {
    Pause(service, Fault::kCreateSlow);
  }
  if (service.faults.Happens(Fault::kCreateLate)) {
    call.exchange.Abort();
    // Its input is looked at when the job is made, not when it was asked for.
    const bool in_time = Pause(service, Fault::kCreateLate);
    if (auto late = ReadDraft(service, *model, *body); in_time && late.has_value()) {
      (void)KeepJob(service, *std::move(late));
    }
    return std::nullopt;
  }
  const Result<Job> job = KeepJob(service, *std::move(draft));
  if (!job.has_value()) {
    return std::unexpected(ToApiError(job.error()));
  }
  return AnswerCreate(service, call.exchange, [&] { return OperationText(*job, Form(service)); });
}

// The lines of a results file as the elements of a JSON array.
class ElementSource {
 public:
  explicit ElementSource(File& lines, uint64_t size) : lines_(lines), size_(size) {}

  Result<size_t> Read(std::span<std::byte> buffer) {
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(buffer.size(), size_ - offset_));
    SLUICE_ASSIGN(const size_t count, lines_.ReadAt(offset_, buffer.first(wanted)));
    offset_ += count;
    // A line end inside a JSON string is escaped, so every LF ends an element; the last has no
    // comma.
    std::ranges::replace(buffer.first(count), std::byte{'\n'}, std::byte{','});
    if (count > 0 && offset_ == size_ && buffer[count - 1] == std::byte{','}) {
      buffer[count - 1] = std::byte{'\n'};
    }
    return count;
  }
  void Rewind() { offset_ = 0; }

 private:
  File& lines_;
  uint64_t size_;
  uint64_t offset_ = 0;
};

// Sends `text`, putting the inlined results wherever the mark stands in it.
void SendWithResults(Call& call, std::string text, const std::string& mark,
                     ElementSource elements) {
  const std::string quoted = '"' + mark + '"';
  bool in_elements = false;
  call.exchange.RespondStream(
      200, {{"Content-Type", "application/json; charset=UTF-8"}, {"Server", "sluice"}},
      std::nullopt, [&](std::span<std::byte> buffer) -> Result<size_t> {
        if (in_elements) {
          SLUICE_ASSIGN(const size_t count, elements.Read(buffer));
          if (count > 0) {
            return count;
          }
          in_elements = false;
          text.insert(0, "]");
        }
        const size_t place = text.find(quoted);
        const std::string piece = text.substr(0, std::min(place, buffer.size()));
        text.erase(0, piece.size());
        std::ranges::copy(AsBytes(piece), buffer.begin());
        if (text.starts_with(quoted) && piece.size() < buffer.size()) {
          text.erase(0, quoted.size());
          buffer[piece.size()] = std::byte{'['};
          in_elements = true;
          elements.Rewind();
          return piece.size() + 1;
        }
        return piece.size();
      });
}

RouteAnswer SendInlined(Service& service, Call& call, const Job& job) {
  const auto lines = service.files.Open(service.jobs.ResultsPath(job.id), OpenMode::kRead);
  const auto size = lines.has_value() ? (*lines)->Size() : std::unexpected(lines.error());
  if (!size.has_value()) {
    return std::unexpected(ToApiError(size.error()));
  }
  OperationForm form = Form(service);
  form.inlined_mark = "results of " + job.id;
  SendWithResults(call, FormatJson(call.exchange, OperationText(job, form)), form.inlined_mark,
                  ElementSource(**lines, *size));
  return std::nullopt;
}

RouteAnswer UpdateBatch(Service& service, Call& call, ModelUse use) {
  const ApiAnswer body = ReadSmallBody(service, call.exchange);
  if (!body.has_value()) {
    return body;
  }
  const auto json = ParseMessage<OrderedJson>(*body);
  if (!json.has_value()) {
    return std::unexpected(json.error());
  }
  const auto job = service.jobs.Find(call.id);
  if (!job.has_value() || job->use != use) {
    return std::unexpected(NoSuchBatch());
  }
  const std::string mask = QueryField(call.exchange, "updateMask").value_or("");
  const auto masked = [&](std::string_view name) {
    return mask.empty() || mask == "*" ? FindField(*json, name) != nullptr
                                       : mask.find(name) != std::string::npos ||
                                             mask.find(SnakeCase(name)) != std::string::npos;
  };
  const auto renamed = service.jobs.Rename(
      call.id,
      masked("displayName") ? std::optional(StringField(*json, "displayName")) : std::nullopt,
      masked("priority") ? std::optional(WholeMember(*json, "priority")) : std::nullopt);
  if (!renamed.has_value()) {
    return std::unexpected(ToApiError(renamed.error()));
  }
  return renamed->has_value() ? RouteAnswer(BatchText(**renamed, Form(service)))
                              : std::unexpected(NoSuchBatch());
}

}  // namespace

RouteAnswer CreateEmbedBatch(Service& service, Call& call) {
  return CreateBatch(service, call, ModelUse::kEmbed, "asyncBatchEmbedContent");
}

RouteAnswer CreateGenerateBatch(Service& service, Call& call) {
  return CreateBatch(service, call, ModelUse::kGenerate, "batchGenerateContent");
}

RouteAnswer ListBatches(Service& service, Call& call) {
  if (QueryField(call.exchange, "returnPartialSuccess").value_or("") == "true") {
    return std::unexpected(ApiError{.code = RpcCode::kUnimplemented,
                                    .message = "Operation is not implemented, or supported, or "
                                               "enabled."});
  }
  const auto count = PageSize(call.exchange, kBatchPageDefault);
  const auto start = PageStart(call.exchange);
  if (!count.has_value() || !start.has_value()) {
    return std::unexpected(count.has_value() ? start.error() : count.error());
  }
  const bool first_page = *start == std::numeric_limits<int64_t>::max();
  if (first_page && service.faults.Happens(Fault::kListEmptyPage)) {
    return fmt::format("{{\"nextPageToken\":\"{}\"}}", PageToken(*start - 1));
  }
  const auto lag = service.faults.Happens(Fault::kListLag)
                       ? std::chrono::milliseconds(service.faults.Number(Fault::kListLag))
                       : std::chrono::milliseconds(0);
  const EmulatedJobPage page =
      service.jobs.List(*start, UnixNanoseconds(service.clock.WallNow() - lag), *count);
  if (page.jobs.empty()) {
    return "{}";
  }
  OperationForm form = Form(service);
  form.stale_stats = service.faults.Happens(Fault::kListStaleStats);
  std::string list;
  for (const Job& job : page.jobs) {
    list += list.empty() ? "" : ",";
    list += OperationText(job, form);
  }
  const std::string token =
      page.more ? fmt::format(",\"nextPageToken\":\"{}\"", PageToken(page.jobs.back().create_ns))
                : "";
  return fmt::format("{{\"operations\":[{}]{}}}", list, token);
}

RouteAnswer GetBatch(Service& service, Call& call) {
  const auto job = service.jobs.Find(call.id);
  if (!job.has_value()) {
    return std::unexpected(NoSuchBatch());
  }
  return job->inlined() && job->has_results ? SendInlined(service, call, *job)
                                            : RouteAnswer(OperationText(*job, Form(service)));
}

RouteAnswer CancelBatch(Service& service, Call& call) {
  const Result<bool> known =
      service.jobs.Cancel(call.id, service.faults.Happens(Fault::kCancelSucceeds));
  if (!known.has_value()) {
    return std::unexpected(ToApiError(known.error()));
  }
  if (!*known) {
    return std::unexpected(NoSuchBatch());
  }
  service.journal.Note("cancel", {{"job", "batches/" + call.id}});
  return "{}";
}

RouteAnswer DeleteBatch(Service& service, Call& call) {
  const auto removed = service.jobs.Remove(call.id);
  if (!removed.has_value()) {
    return std::unexpected(ToApiError(removed.error()));
  }
  if (!removed->has_value()) {
    return std::unexpected(NoSuchBatch());
  }
  if (service.options.delete_results_with_job) {
    (void)service.store.Remove((*removed)->results_id());
  }
  service.journal.Note("delete", {{"job", "batches/" + call.id}});
  return "{}";
}

RouteAnswer UpdateEmbedBatch(Service& service, Call& call) {
  return UpdateBatch(service, call, ModelUse::kEmbed);
}

RouteAnswer UpdateGenerateBatch(Service& service, Call& call) {
  return UpdateBatch(service, call, ModelUse::kGenerate);
}

}  // namespace sluice
