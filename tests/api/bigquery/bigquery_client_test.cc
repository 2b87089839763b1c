// The client against the local service, over real connections.
#include "api/bigquery/bigquery_client.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "api/batches/table_lines.h"
#include "tests/support/local_cloud.h"
#include "tests/support/service_under_test.h"
#include "tests/support/scripted_server.h"

namespace sluice {
namespace {

const TableName kTable{.project = "p", .dataset = "d", .table = "t"};
const std::vector<TableColumn> kColumns = {{.name = "key", .type = "STRING", .required = true},
                                           {.name = "request", .type = "JSON", .required = true}};

std::string Rows(int count) {
  std::string rows;
  for (int i = 0; i < count; ++i) {
    rows += fmt::format("{{\"key\":\"k{}\",\"request\":{{\"n\":[{}]}}}}\n", i, i);
  }
  return rows;
}

struct Tables {
  explicit Tables(std::vector<std::string> faults = {}) : cloud(std::move(faults)) {
    static_cast<void>(cloud.service());
    GoogleServiceOptions options{.base_url = cloud.emulator->base_url(), .api_version = "v2"};
    options.retry = cloud.retry;
    service = GoogleService::Make(std::move(options), *cloud.transport, cloud.clock).value();
    client.emplace(*service, "p", "us-central1");
  }
  Result<std::string> Read() const {
    std::string lines;
    SLUICE_TRY(client->ReadRows(kTable, [&](const TableRow& row) -> Result<void> {
      AppendTableLine(row, lines);
      return {};
    }));
    return lines;
  }
  LocalCloud cloud;
  std::unique_ptr<GoogleService> service;
  std::optional<BigQueryClient> client;
};

TEST(BigQuery, RowsAreLoadedAndReadBackPageByPage) {
  Tables tables({"http-503=0.2", "table-job-lost"});
  ASSERT_TRUE(tables.client->MakeDataset("d").has_value());
  ASSERT_TRUE(tables.client->MakeDataset("d").has_value());
  const auto job =
      tables.client->LoadByUpload(kTable, SourceOfBytes(Rows(2500)),
                                  {.job_id = "j1", .columns = kColumns, .labels = {{"a", "b"}}});
  ASSERT_TRUE(job.has_value()) << job.error().message;
  EXPECT_EQ(job->rows, 2500U);
  EXPECT_EQ(job->labels.at("a"), "b");
  EXPECT_EQ(tables.Read().value(), Rows(2500));
  EXPECT_TRUE(tables.client->HasTable(kTable).value());
  // The same id finds the job that there is, whatever is sent with it.
  const auto again = tables.client->LoadByUpload(kTable, SourceOfBytes("{}\n"),
                                                 {.job_id = "j1", .columns = kColumns});
  EXPECT_TRUE(again->existed);
  EXPECT_EQ(again->rows, 2500U);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(tables.client->DeleteTable(kTable).has_value());
  }
  EXPECT_FALSE(tables.client->HasTable(kTable).value());
  EXPECT_EQ(tables.Read().error().code, ErrorCode::kNotFound);
}

TEST(BigQuery, RowsAreLoadedFromCloudStorage) {
  Tables tables;
  const ObjectName object{.bucket = kTestBucket, .object = "in/rows.jsonl"};
  ASSERT_TRUE(tables.cloud.storage().Upload(object, SourceOfBytes(Rows(3))).has_value());
  ASSERT_TRUE(tables.client->MakeDataset("d").has_value());
  const LoadOptions options{.job_id = "j1", .columns = kColumns};
  ASSERT_TRUE(tables.client->Load(kTable, {FormatObjectUri(object)}, options).has_value());
  EXPECT_EQ(tables.Read().value(), Rows(3));
  // A table that is there is not added to.
  const LoadOptions other{.job_id = "j2", .columns = kColumns};
  EXPECT_EQ(tables.client->Load(kTable, {FormatObjectUri(object)}, other).error().code,
            ErrorCode::kRemoteFailed);
}

TEST(BigQuery, RefusedRowsAreSaidSo) {
  Tables tables;
  ASSERT_TRUE(tables.client->MakeDataset("d").has_value());
  int number = 0;
  for (const char* rows : {"{\"key\":1,\"request\":{}}\n", "{\"key\":\"a\"}\n", "[]\n",
                           "{\"key\":\"a\",\"request\":{},\"more\":1}\n"}) {
    const auto loaded = tables.client->LoadByUpload(
        kTable, SourceOfBytes(rows), {.job_id = fmt::format("j{}", ++number), .columns = kColumns});
    EXPECT_EQ(loaded.error().code, ErrorCode::kRemoteFailed) << rows;
  }
}

TEST(BigQuery, QuotaIsTriedAgainAndAForeignJobIsNotBelieved) {
  const std::string quota =
      R"({"error":{"code":403,"message":"m","errors":[{"reason":"rateLimitExceeded"}]}})";
  ScriptedServer server(
      {JsonPlay(403, quota), JsonPlay(200, "{}"),
       JsonPlay(200, R"({"jobReference":{"jobId":"other"}})"),
       JsonPlay(200, R"({"jobReference":{"jobId":"j"},"status":{"state":"DONE"}})")});
  LocalCloud cloud;
  GoogleServiceOptions options{.base_url = server.url(), .api_version = "v2"};
  options.retry = cloud.retry;
  const auto service =
      GoogleService::Make(std::move(options), *cloud.transport, cloud.clock).value();
  const BigQueryClient client(*service, "p", "us-central1");
  ASSERT_TRUE(client.Load(kTable, {"gs://bucket/x"}, {.job_id = "j"}).has_value());
  EXPECT_EQ(server.requests().at(0).target, "/bigquery/v2/projects/p/jobs");
  EXPECT_EQ(server.requests().at(3).target, "/bigquery/v2/projects/p/jobs/j?location=us-central1");
}

TEST(BigQuery, TheEmulatorsVariableIsTakenInEveryForm) {
  for (const char* value :
       {"127.0.0.1:9050", "http://127.0.0.1:9050", "http://127.0.0.1:9050/bigquery/v2/"}) {
    const BigQueryPlace place =
        BigQueryOfEnvironment(EnvironmentOf({{"BIGQUERY_EMULATOR_HOST", value}}));
    EXPECT_EQ(place.options.base_url, "http://127.0.0.1:9050");
    EXPECT_TRUE(place.is_emulator);
  }
  EXPECT_EQ(BigQueryOfEnvironment(EnvironmentOf({})).options.base_url,
            "https://bigquery.googleapis.com");
}

TEST(TableName, IsReadFromTheRight) {
  EXPECT_EQ(ParseTableUri("bq://example.com:p.d.t").value(),
            (TableName{"example.com:p", "d", "t"}));
  EXPECT_EQ(FormatTableUri({"p", "d", "t"}), "bq://p.d.t");
  for (const char* uri : {"", "bq://", "bq://p.d", "bq://p.d.", "bq://p.d.t/x", "p.d.t",
                          "bq://p.d-d.t", "bq://P.d.t?x"}) {
    EXPECT_EQ(ParseTableUri(uri).error().code, ErrorCode::kUsage) << uri;
  }
  EXPECT_TRUE(CheckTableDestination("bq://p").has_value());
  EXPECT_TRUE(CheckTableDestination("bq://p.d").has_value());
  EXPECT_FALSE(CheckTableDestination("gs://p").has_value());
}

TEST(TableLines, ColumnsOfJsonBecomeJsonAndNullIsLeftOut) {
  const TableColumn key{.name = "key", .type = "STRING"};
  const TableColumn response{.name = "response", .type = "STRING"};
  const TableColumn status{.name = "status", .type = "STRING"};
  std::string line;
  AppendTableLine({{&key, "a\"b"}, {&response, "{\"x\":\n1}"}, {&status, std::nullopt}}, line);
  EXPECT_EQ(line, "{\"key\":\"a\\\"b\",\"response\":{\"x\": 1}}\n");
  line.clear();
  AppendTableLine({{&response, "{broken"}}, line);
  EXPECT_EQ(line, "{\"response\":\"{broken\"}\n");
}

const Play kColumnsOfTable =
    JsonPlay(200, R"({"schema":{"fields":[{"name":"key","type":"STRING"}]}})");

Error ReadError(std::vector<Play> pages) {
  pages.insert(pages.begin(), kColumnsOfTable);
  ServiceUnderTest test(std::move(pages));
  const auto read = BigQueryClient(*test.service, "p", "us")
                        .ReadRows({.project = "p", .dataset = "d", .table = "t"},
                                  [](const TableRow&) { return Result<void>(); });
  return read.has_value() ? Error{.code = ErrorCode::kInternal, .message = "it was read"}
                          : read.error();
}

TEST(BigQuery, PagesThatAreNotTheWholeTableAreRefused) {
  const std::string row = R"({"f":[{"v":"a"}]})";
  const Play first = JsonPlay(200, R"({"totalRows":"3","pageToken":"t","rows":[)" + row + "]}");
  const std::vector<Play> ends = {JsonPlay(200, "{}"), JsonPlay(200, R"({"error":{"code":500}})"),
                                  JsonPlay(200, R"({"totalRows":"3","rows":[)" + row + "]}"),
                                  JsonPlay(200, R"({"totalRows":"2","rows":[)" + row + "]}")};
  for (const Play& end : ends) {
    std::vector<Play> pages(10, end);
    pages.insert(pages.begin(), first);
    EXPECT_EQ(ReadError(pages).code, ErrorCode::kBadAnswer) << end.answer;
  }
}

// Rows that the table does not have are refused with the page that brings them, not at the end.
TEST(BigQuery, MoreRowsThanTheTableHoldsAreNotFollowed) {
  const std::string row = R"({"f":[{"v":"a"}]})";
  std::vector<Play> pages;
  for (int i = 0; i < 10; ++i) {
    pages.push_back(
        JsonPlay(200, fmt::format(R"({{"totalRows":"1","pageToken":"t{}","rows":[{}]}})", i, row)));
  }
  EXPECT_NE(ReadError(pages).message.find("2 rows of 1"), std::string::npos);
}

TEST(BigQuery, PagesWithoutRowsAndWithoutEndAreNotFollowed) {
  std::vector<Play> pages;
  for (int i = 0; i < 300; ++i) {
    pages.push_back(JsonPlay(200, fmt::format(R"({{"totalRows":"1","pageToken":"t{}"}})", i)));
  }
  EXPECT_NE(ReadError(pages).message.find("no end"), std::string::npos);
}

TEST(BigQuery, APageHoldsNoMoreValuesThanItsRowsCan) {
  std::string page = R"({"totalRows":"1","rows":[0)";
  for (int i = 0; i < 2'000'000; ++i) {
    page += ",0";
  }
  EXPECT_EQ(ReadError(std::vector<Play>(10, JsonPlay(200, page + "]}"))).code,
            ErrorCode::kBadAnswer);
}

// Asking for the id of a job that failed finds the same failure for ever.
TEST(BigQuery, ALoadThatFailedInAWayThatPassesWantsAnotherId) {
  for (const auto& [reason, code] : {std::pair("backendError", ErrorCode::kConflict),
                                     std::pair("accessDenied", ErrorCode::kRemoteFailed)}) {
    ServiceUnderTest test(
        {JsonPlay(200, "{}"),
         JsonPlay(200, fmt::format(R"({{"jobReference":{{"jobId":"j"}},"status":{{"state":"DONE",)"
                                   R"("errorResult":{{"reason":"{}"}}}}}})",
                                   reason))});
    EXPECT_EQ(BigQueryClient(*test.service, "p", "us")
                  .Load({.project = "p", .dataset = "d", .table = "t"}, {"gs://bucket/x"},
                        {.job_id = "j"})
                  .error()
                  .code,
              code);
  }
}

TEST(BigQuery, ADatasetThatIsThereIsNotMade) {
  const Play dataset = JsonPlay(200, R"({"datasetReference":{"projectId":"p","datasetId":"d"}})");
  // What somebody in between says of it is no dataset.
  for (const Play& play : {dataset, JsonPlay(200, "<html>"), JsonPlay(200, "{}")}) {
    ServiceUnderTest there({play, dataset});
    EXPECT_TRUE(BigQueryClient(*there.service, "p", "us").MakeDataset("d").has_value());
    EXPECT_EQ(there.server.requests().size(), play.answer == dataset.answer ? 1U : 2U);
    EXPECT_EQ(there.server.requests().back().method, "GET");
  }
  const Play missing = JsonPlay(404, R"({"error":{"code":404,"message":"x"}})");
  ServiceUnderTest made({missing, dataset});
  EXPECT_TRUE(BigQueryClient(*made.service, "p", "us").MakeDataset("d").has_value());
  EXPECT_EQ(made.server.requests().at(1).method, "POST");
}

TEST(BigQuery, ADatasetElsewhereIsNotUsed) {
  constexpr const char* kThere =
      R"({"datasetReference":{"projectId":"p","datasetId":"d"},"location":"US"})";
  ServiceUnderTest test({JsonPlay(200, kThere), JsonPlay(200, kThere)});
  EXPECT_TRUE(BigQueryClient(*test.service, "p", "us").MakeDataset("d").has_value());
  const auto elsewhere = BigQueryClient(*test.service, "p", "europe-west4").MakeDataset("d");
  ASSERT_FALSE(elsewhere.has_value());
  EXPECT_EQ(elsewhere.error().code, ErrorCode::kUsage);
  EXPECT_EQ(elsewhere.error().message, "dataset d is in US, and jobs are to run in europe-west4");
  EXPECT_EQ(test.server.requests().size(), 2U);
}

TEST(BigQuery, OnlyTheServiceSaysThatATableIsDeleted) {
  for (const Play& play : {JsonPlay(200, "<html>sign in</html>"), JsonPlay(404, "<html>")}) {
    for (const Play& done :
         {JsonPlay(200, ""), Play{.answer = "HTTP/1.1 204 No Content\r\n\r\n"}}) {
      ServiceUnderTest test({play, done});
      const BigQueryClient client(*test.service, "p", "us");
      EXPECT_TRUE(client.DeleteTable({.project = "p", .dataset = "d", .table = "t"}).has_value());
      EXPECT_EQ(test.server.requests().size(), 2U);
    }
  }
}

}  // namespace
}  // namespace sluice
