// Every route of the local service, in every state of a job, held against the schema of the
// service's discovery document (tests/support/gemini_answers.json).
#include <ostream>
#include <set>

#include "io/json/json_document.h"
#include "tests/support/answer_schema.h"
#include "tests/tools/emulator/local_api.h"
#include "tools/emulator/routes.h"

namespace sluice {
namespace {

const AnswerSchema& Schema() {
  static const AnswerSchema schema;
  return schema;
}

void ExpectMessage(const std::string& message, const std::string& text) {
  const auto fault = Schema().FindFault(message, text);
  EXPECT_FALSE(fault.has_value()) << *fault << '\n' << text;
}

// A job of one kind: over a file or inlined requests.
struct Kind {
  const char* name;
  const char* method;   // in the address
  const char* message;  // of its metadata
  const char* line;     // of its result file
  std::string request;
};

// CTest lists it with the tests: never as the bytes of an object, which hold addresses.
void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

const Kind kEmbed{"gemini-embedding-001", "asyncBatchEmbedContent", "EmbedContentBatch",
                  "EmbedContentLine",
                  R"({"content":{"parts":[{"text":"x"}]},"outputDimensionality":3})"};
const Kind kEmbedNewer{"gemini-embedding-2", kEmbed.method, kEmbed.message, kEmbed.line,
                       kEmbed.request};
const Kind kGenerate{"gemini-2.5-flash", "batchGenerateContent", "GenerateContentBatch",
                     "GenerateContentLine", R"({"contents":[{"parts":[{"text":"x"}]}]})"};

struct CheckedApi : LocalApi {
  explicit CheckedApi(std::vector<std::string> faults = {}) : LocalApi(std::move(faults)) {
    Start();
  }

  // Calls, and expects that message with that status.
  OrderedJson Expect(const std::string& message, const std::string& method,
                     const std::string& target, std::string_view body = "", int status = 200) {
    const WireReply reply = Call(method, target, body);
    EXPECT_EQ(reply.status, status) << method << ' ' << target << '\n' << reply.body;
    EXPECT_EQ(reply.Header("content-type"), "application/json; charset=UTF-8");
    EXPECT_TRUE(reply.body.ends_with("}\n")) << reply.body;
    ExpectMessage(message, reply.body);
    return ParseOrderedJson(reply.body);
  }
  void ExpectError(int status, const std::string& method, const std::string& target,
                   std::string_view body = "") {
    const OrderedJson error = Expect("ErrorBody", method, target, body, status);
    EXPECT_EQ(error["error"]["code"], status);
    EXPECT_FALSE(error["error"]["message"].get<std::string>().empty());
  }

  // Requests of which every third cannot be answered.
  static OrderedJson InputOf(const Kind& kind, bool inlined, const std::string& file) {
    if (!inlined) {
      return {{"fileName", file}};
    }
    OrderedJson requests = OrderedJson::array();
    for (int i = 0; i < 4; ++i) {
      const OrderedJson request = ParseOrderedJson(i % 3 == 2 ? "{}" : kind.request);
      requests.push_back(
          {{"request", request}, {"metadata", {{"key", "k" + std::to_string(i)}, {"n", i}}}});
    }
    return {{"requests", {{"requests", requests}}}};
  }
  std::string UploadFor(const Kind& kind) const {
    std::string lines = "{\"key\":\"bad\",\"request\":{}}\nno json\n";
    for (int i = 0; i < 4; ++i) {
      lines += R"({"key":"k)" + std::to_string(i) + R"(","request":)" + kind.request + "}\n";
    }
    return Upload(lines);
  }
  // The new job's name.
  std::string CreateJob(const Kind& kind, bool inlined) {
    const OrderedJson body = {
        {"batch",
         {{"displayName", "a job"},
          {"priority", "-7"},
          {"inputConfig", InputOf(kind, inlined, inlined ? "" : UploadFor(kind))}}}};
    const OrderedJson operation =
        Expect("Operation", "POST", std::string("/v1beta/models/") + kind.name + ":" + kind.method,
               body.dump());
    EXPECT_EQ(operation["metadata"]["state"], "BATCH_STATE_PENDING");
    return operation["name"];
  }
  // Polls until the job is in that state, checking every answer.
  OrderedJson Await(const std::string& job, const std::string& state) {
    OrderedJson operation;
    for (int i = 0; i < 6000 && operation["metadata"]["state"] != "BATCH_STATE_" + state; ++i) {
      operation = Expect("Operation", "GET", "/v1beta/" + job);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_EQ(operation["metadata"]["state"], "BATCH_STATE_" + state);
    Expect("ListOperationsResponse", "GET", "/v1beta/batches");
    return operation;
  }
};

class AnswersOfAJob : public testing::TestWithParam<std::tuple<Kind, bool>> {
 protected:
  const Kind& kind() const { return std::get<0>(GetParam()); }
  bool inlined() const { return std::get<1>(GetParam()); }

  // A job of this kind that comes to that state; `cancel_in`: cancelled once it is in this one.
  void Run(std::vector<std::string> faults, const std::string& state,
           const std::string& cancel_in = "") {
    CheckedApi api(std::move(faults));
    const std::string job = api.CreateJob(kind(), inlined());
    if (!cancel_in.empty()) {
      api.Await(job, cancel_in);
      api.Expect("Empty", "POST", "/v1beta/" + job + ":cancel", "{}");
    }
    const OrderedJson operation = api.Await(job, state);
    const std::string type = operation["metadata"]["@type"];
    EXPECT_TRUE(type.ends_with(std::string(".v1main.") + kind().message)) << type;
    CheckResults(api, operation);
    api.Expect(kind().message, "PATCH", "/v1beta/" + job + ":update" + kind().message,
               R"({"displayName":"another","priority":"9"})");
    api.Expect("Operation", "GET", "/v1beta/" + job);
    api.Expect("Empty", "DELETE", "/v1beta/" + job);
    api.ExpectError(404, "DELETE", "/v1beta/" + job);
    EXPECT_EQ(api.Expect("ListOperationsResponse", "GET", "/v1beta/batches"),
              OrderedJson::object());
  }

  // The results stand at both places, whatever they are.
  void CheckResults(CheckedApi& api, const OrderedJson& operation) {
    const OrderedJson& metadata = operation["metadata"];
    EXPECT_EQ(operation.contains("done"), metadata.contains("endTime"));
    if (!metadata.contains("output") || operation.contains("error")) {
      EXPECT_FALSE(operation.contains("response"));
      return;
    }
    OrderedJson response = operation["response"];
    response.erase("@type");
    EXPECT_EQ(response, metadata["output"]);
    EXPECT_EQ(response.contains("inlinedResponses"), inlined());
    if (!inlined()) {
      CheckResultFile(api, response["responsesFile"]);
    }
  }

  void CheckResultFile(CheckedApi& api, const std::string& file) {
    for (const char* prefix : {"/v1beta/", "/v1/", "/v1alpha/", "/download/v1beta/"}) {
      const WireReply reply = api.Call("GET", prefix + file + ":download?alt=media");
      EXPECT_EQ(reply.status, 200) << prefix;
      const auto lines = ParseLines(reply.body);
      EXPECT_FALSE(lines.empty());
      for (const OrderedJson& line : lines) {
        ExpectMessage(kind().line, line.dump());
        EXPECT_NE(line.contains("response"), line.contains("error")) << line;
      }
    }
    api.ExpectError(400, "GET", "/v1beta/" + file);
    api.ExpectError(400, "DELETE", "/v1beta/" + file);
  }
};

TEST_P(AnswersOfAJob, ThatSucceeds) { Run({}, "SUCCEEDED"); }
TEST_P(AnswersOfAJob, ThatSucceedsWithFailedItems) { Run({"item-error-13"}, "SUCCEEDED"); }
TEST_P(AnswersOfAJob, ThatSucceedsWithItemsWithoutKeysAndMessages) {
  Run({"no-key", "item-error"}, "SUCCEEDED");
}
TEST_P(AnswersOfAJob, ThatIsPending) { Run({"stuck-pending"}, "PENDING"); }
TEST_P(AnswersOfAJob, ThatIsRunning) { Run({"stuck-running"}, "RUNNING"); }
TEST_P(AnswersOfAJob, ThatFails) { Run({"fail-job"}, "FAILED"); }
TEST_P(AnswersOfAJob, ThatExpires) { Run({"expire"}, "EXPIRED"); }
TEST_P(AnswersOfAJob, ThatIsCancelledBeforeItsStart) {
  Run({"stuck-pending"}, "CANCELLED", "PENDING");
}
TEST_P(AnswersOfAJob, ThatIsCancelledBeforeItsStartAndSucceeds) {
  Run({"stuck-pending", "cancel-succeeds"}, "SUCCEEDED", "PENDING");
}
TEST_P(AnswersOfAJob, ThatIsCancelledAfterItsStart) {
  Run({"stuck-running"}, "SUCCEEDED", "RUNNING");
}
TEST_P(AnswersOfAJob, ThatIsCancelledAfterItsStartWithPartOfItsResults) {
  Run({"stuck-running", "cancel-partial"}, "CANCELLED", "RUNNING");
}
TEST_P(AnswersOfAJob, ThatIsListedWithStaleCounters) { Run({"list-stale-stats"}, "SUCCEEDED"); }

INSTANTIATE_TEST_SUITE_P(All, AnswersOfAJob,
                         testing::Combine(testing::Values(kEmbed, kEmbedNewer, kGenerate),
                                          testing::Bool()),
                         [](const auto& test) {
                           std::string name = std::get<0>(test.param).name;
                           std::erase_if(name, [](char c) { return c == '-' || c == '.'; });
                           return name + (std::get<1>(test.param) ? "Inlined" : "File");
                         });

TEST(AnswerSchema, PagesOfJobsOfBothKinds) {
  CheckedApi api;
  std::set<std::string> created;
  for (const Kind& kind : {kEmbed, kGenerate, kEmbedNewer}) {
    for (const bool inlined : {false, true}) {
      created.insert(api.CreateJob(kind, inlined));
    }
  }
  std::set<std::string> listed;
  std::string target = "/v1beta/batches?pageSize=2";
  for (std::string token = "first"; !token.empty();) {
    const OrderedJson page = api.Expect("ListOperationsResponse", "GET", target);
    for (const OrderedJson& operation : page["operations"]) {
      EXPECT_FALSE(operation.value("response", OrderedJson::object()).contains("inlinedResponses"));
      listed.insert(operation["name"]);
    }
    token = page.value("nextPageToken", "");
    target = "/v1beta/batches?pageSize=2&pageToken=" + token;
  }
  EXPECT_EQ(listed, created);
}

TEST(AnswerSchema, EmptyPageWithAToken) {
  CheckedApi api({"list-empty-page"});
  const OrderedJson page = api.Expect("ListOperationsResponse", "GET", "/v1beta/batches");
  EXPECT_TRUE(page.contains("nextPageToken"));
  EXPECT_FALSE(page.contains("operations"));
}

std::string MultipartBody(const std::string& metadata, const std::string& bytes) {
  return "--border\r\nContent-Type: application/json\r\n\r\n" + metadata +
         "\r\n--border\r\nContent-Type: text/plain\r\n\r\n" + bytes + "\r\n--border--\r\n";
}

TEST(AnswerSchema, Files) {
  CheckedApi api;
  EXPECT_EQ(api.Expect("ListFilesResponse", "GET", "/v1beta/files"), OrderedJson::object());
  for (int i = 0; i < 3; ++i) {
    const std::string upload = api.StartUpload(R"({"displayName":"a file"})");
    const WireReply ended = api.Send(upload, "upload, finalize", 0, "abc");
    ExpectMessage("CreateFileResponse", ended.body);
    EXPECT_EQ(api.Send(upload, "query", 0, "").body, ended.body);
  }
  const WireReply multipart =
      api.Call("POST", "/upload/v1beta/files", MultipartBody(R"({"file":{}})", "abc"),
               {{"X-Goog-Upload-Protocol", "multipart"},
                {"Content-Type", "multipart/related; boundary=border"}});
  ExpectMessage("CreateFileResponse", multipart.body);
  api.Expect("CreateFileResponse", "POST", "/v1beta/files", R"({"file":{"name":"files/empty"}})");
  OrderedJson page = api.Expect("ListFilesResponse", "GET", "/v1beta/files?page_size=3");
  EXPECT_EQ(page["files"].size(), 3U);
  page = api.Expect("ListFilesResponse", "GET",
                    "/v1beta/files?pageToken=" + page["nextPageToken"].get<std::string>());
  EXPECT_EQ(page["files"].size(), 2U);
  const std::string name = page["files"][0]["name"];
  api.Expect("File", "GET", "/v1beta/" + name);
  api.ExpectError(400, "GET", "/v1beta/" + name + ":download?alt=media");
  api.Expect("Empty", "DELETE", "/v1beta/" + name);
  api.ExpectError(403, "GET", "/v1beta/" + name);
  api.ExpectError(403, "DELETE", "/v1beta/" + name);
  api.ExpectError(403, "GET", "/v1beta/" + name + ":download?alt=media");
  api.ExpectError(401, "POST", "/v1beta/files:register", R"({"uris":["gs://b/o"]})");
  const WireReply registered =
      api.Call("POST", "/v1beta/files:register", R"({"uris":["gs://b/one","gs://b/two"]})",
               {{"Authorization", "Bearer a-token"}});
  EXPECT_EQ(registered.status, 200);
  ExpectMessage("RegisterFilesResponse", registered.body);
  EXPECT_EQ(ParseOrderedJson(registered.body)["files"][1]["source"], "REGISTERED");
  api.ExpectError(409, "POST", "/v1beta/files", R"({"file":{"name":"files/empty"}})");
}

TEST(AnswerSchema, CallsThatAreAnsweredAtOnce) {
  CheckedApi api;
  const OrderedJson models = api.Expect("ListModelsResponse", "GET", "/v1beta/models");
  for (const OrderedJson& model : models["models"]) {
    api.Expect("Model", "GET", "/v1beta/" + model["name"].get<std::string>());
  }
  for (const Kind& kind : {kEmbed, kEmbedNewer}) {
    const std::string model = std::string("/v1beta/models/") + kind.name;
    api.Expect("EmbedContentResponse", "POST", model + ":embedContent", kind.request);
    api.Expect("BatchEmbedContentsResponse", "POST", model + ":batchEmbedContents",
               R"({"requests":[)" + kind.request + "," + kind.request + "]}");
    api.ExpectError(400, "POST", model + ":embedContent", "{}");
  }
  const std::string model = std::string("/v1beta/models/") + kGenerate.name;
  api.Expect("GenerateContentResponse", "POST", model + ":generateContent", kGenerate.request);
  api.Expect("CountTokensResponse", "POST", model + ":countTokens", kGenerate.request);
}

TEST(AnswerSchema, Refusals) {
  CheckedApi api;
  const std::string create = "/v1beta/models/gemini-embedding-2:asyncBatchEmbedContent";
  for (const char* body :
       {"", "no json", "{}", R"({"batch":{}})", R"({"more":1})",
        R"({"batch":{"inputConfig":{"fileName":"files/none"}}})",
        R"({"batch":{"inputConfig":{"requests":{"requests":[{"request":{"flat":1}}]}}}})"}) {
    api.ExpectError(400, "POST", create, body);
  }
  api.ExpectError(404, "POST", "/v1beta/models/none:batchGenerateContent", "{}");
  api.ExpectError(404, "POST", "/v1beta/tunedModels/none:batchGenerateContent", "{}");
  api.ExpectError(404, "POST", "/v1beta/tunedModels/none:asyncBatchEmbedContent", "{}");
  api.ExpectError(404, "GET", "/v1beta/models/none");
  api.ExpectError(404, "GET", "/v1beta/batches/none");
  api.ExpectError(404, "POST", "/v1beta/batches/none:cancel");
  api.ExpectError(404, "PATCH", "/v1beta/batches/none:updateEmbedContentBatch", "{}");
  api.ExpectError(501, "GET", "/v1beta/batches?returnPartialSuccess=true");
  api.ExpectError(400, "GET", "/v1beta/batches?pageSize=x");
  api.ExpectError(400, "GET", "/v1beta/files?pageToken=x");
  const WireReply no_key = CallOnce(api.emulator->port(), "GET", "/v1beta/batches");
  EXPECT_EQ(no_key.status, 403);
  ExpectMessage("ErrorBody", no_key.body);
}

TEST(AnswerSchema, RefusalsWithDetails) {
  struct Case {
    const char* fault;
    int status;
    const char* detail;
  };
  for (const Case& c :
       {Case{"create-429=plain", 429, "Help"}, Case{"create-429=retryinfo", 429, "RetryInfo"},
        Case{"quota-per-day", 429, "QuotaFailure"}, Case{"create-lost=503", 503, ""},
        Case{"enqueued-tokens=1", 429, "Help"}, Case{"http-503=1", 503, ""}}) {
    CheckedApi api({c.fault});
    const std::string body =
        OrderedJson{{"batch", {{"inputConfig", CheckedApi::InputOf(kEmbed, true, "")}}}}.dump();
    const OrderedJson error =
        api.Expect("ErrorBody", "POST",
                   "/v1beta/models/gemini-embedding-001:asyncBatchEmbedContent", body, c.status);
    EXPECT_NE(error.dump().find(c.detail), std::string::npos) << error;
  }
  LocalApi strict;
  strict.options.required_key = "the-key";
  strict.Start();
  const WireReply wrong_key = strict.Call("GET", "/v1beta/batches");
  EXPECT_EQ(wrong_key.status, 400);
  ExpectMessage("ErrorBody", wrong_key.body);
  EXPECT_NE(wrong_key.body.find("API_KEY_INVALID"), std::string::npos);
}

TEST(AnswerSchema, SeesWhatIsWrong) {
  const auto wrong = [](const char* message, const char* text) {
    return Schema().FindFault(message, text).has_value();
  };
  EXPECT_FALSE(wrong("File", R"({"name":"files/a","sizeBytes":"5","state":"ACTIVE"})"));
  EXPECT_TRUE(wrong("File", R"({"size_bytes":"5"})"));
  EXPECT_TRUE(wrong("File", R"({"sizeBytes":5})"));
  EXPECT_TRUE(wrong("File", R"({"sizeBytes":"0"})"));
  EXPECT_TRUE(wrong("File", R"({"state":"READY"})"));
  EXPECT_TRUE(wrong("File", R"({"createTime":"2026-08-19 14:34:14Z"})"));
  EXPECT_TRUE(wrong("File", R"({"sha256Hash":"abc"})"));
  EXPECT_TRUE(wrong("File", "["));
  EXPECT_TRUE(wrong("BatchStats", R"({"requestCount":2})"));
  EXPECT_TRUE(wrong("ListFilesResponse", R"({"files":[]})"));
  EXPECT_TRUE(wrong("Operation", R"({"metadata":{"state":"BATCH_STATE_PENDING"}})"));
  EXPECT_TRUE(wrong("Operation", R"({"done":"true"})"));
  EXPECT_TRUE(wrong(
      "Operation",
      R"({"metadata":{"@type":"type.googleapis.com/google.x.EmbedContentBatch","state":"DONE"}})"));
  EXPECT_TRUE(wrong("Candidate", R"({"groundingMetadata":{}})"));
}

// Whoever adds a route drives it here too.
TEST(AnswerSchema, NoRouteIsLeftOut) {
  const std::set<std::string_view> driven = {
      "batchEmbedContents", "batches.cancel", "batches.create", "batches.delete", "batches.get",
      "batches.list",       "batches.update", "countTokens",    "embedContent",   "files.create",
      "files.delete",       "files.download", "files.get",      "files.list",     "files.register",
      "generateContent",    "models.get",     "models.list",    "upload"};
  const std::vector<std::string_view> names = RouteNames();
  EXPECT_EQ(std::set<std::string_view>(names.begin(), names.end()), driven);
}

}  // namespace
}  // namespace sluice
