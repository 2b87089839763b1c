#include "tools/emulator/operation.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/emulator/timestamp.h"

namespace sluice {

namespace {

using OrderedJson = nlohmann::ordered_json;

std::string TypeUrl(const Job& job, std::string_view suffix) {
  return fmt::format("type.googleapis.com/google.ai.generativelanguage.v1main.{}{}",
                     job.use == ModelUse::kEmbed ? "EmbedContentBatch" : "GenerateContentBatch",
                     suffix);
}

// Counters are strings, and zeros are left out. Stale ones are those of the job's creation.
OrderedJson Stats(const Job& job, bool stale) {
  OrderedJson stats = OrderedJson::object();
  const auto add = [&](const char* name, uint64_t count) {
    if (count > 0) {
      stats[name] = fmt::format("{}", count);
    }
  };
  const uint64_t success_count = stale ? 0 : job.success_count;
  const uint64_t failure_count = stale ? 0 : job.failure_count;
  add("requestCount", job.request_count);
  add("successfulRequestCount", success_count);
  add("failedRequestCount", failure_count);
  add("pendingRequestCount", job.request_count - success_count - failure_count);
  return stats;
}

// Where the results are; null when there are none, or none to be shown.
OrderedJson Output(const Job& job, const OperationForm& form) {
  if (!job.has_results) {
    return nullptr;
  }
  if (!job.inlined()) {
    return {{"responsesFile", "files/" + job.results_id()}};
  }
  if (form.inlined_mark.empty()) {
    return nullptr;
  }
  return form.single_level
             ? OrderedJson{{"inlinedResponses", form.inlined_mark}}
             : OrderedJson{{"inlinedResponses", {{"inlinedResponses", form.inlined_mark}}}};
}

void AddBatch(const Job& job, const OperationForm& form, OrderedJson& batch) {
  batch["model"] = "models/" + job.model;
  if (!job.display_name.empty()) {
    batch["displayName"] = job.display_name;
  }
  if (!job.inlined()) {
    batch["inputConfig"]["fileName"] = "files/" + job.input_file;
  }
  if (OrderedJson output = Output(job, form); !output.is_null()) {
    batch["output"] = std::move(output);
  }
  batch["createTime"] = FormatTimestamp(job.create_ns);
  if (job.ended()) {
    batch["endTime"] = FormatTimestamp(job.end_ns);
  }
  batch["updateTime"] = FormatTimestamp(job.update_ns);
  batch["batchStats"] = Stats(job, form.stale_stats);
  batch["state"] = fmt::format("{}_STATE_{}", form.job_state_prefix ? "JOB" : "BATCH",
                               EmulatedStateName(job.state));
  batch["name"] = "batches/" + job.id;
  if (job.priority != 0) {
    batch["priority"] = fmt::format("{}", job.priority);
  }
}

}  // namespace

std::string OperationText(const Job& job, const OperationForm& form) {
  OrderedJson operation;
  operation["name"] = "batches/" + job.id;
  operation["metadata"]["@type"] = TypeUrl(job, "");
  AddBatch(job, form, operation["metadata"]);
  if (job.ended()) {
    operation["done"] = true;
  }
  if (job.error_code != 0) {
    operation["error"] = {{"code", job.error_code}, {"message", job.error_message}};
  } else if (OrderedJson output = Output(job, form); !output.is_null()) {
    operation["response"]["@type"] = TypeUrl(job, "Output");
    operation["response"].update(output);
  }
  return operation.dump();
}

std::string BatchText(const Job& job, const OperationForm& form) {
  OrderedJson batch;
  AddBatch(job, form, batch);
  return batch.dump();
}

}  // namespace sluice
