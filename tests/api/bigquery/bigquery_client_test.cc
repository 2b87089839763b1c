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
  for (const char* rows : {"{\"key\":1,\"request\":{}}\n", "{\"key\":\"a\"}\n", "[]\n",
                           "{\"key\":\"a\",\"request\":{},\"more\":1}\n"}) {
    const auto loaded = tables.client->LoadByUpload(
        kTable, SourceOfBytes(rows),
        {.job_id = fmt::format("j{}", rows[1] + rows[7]), .columns = kColumns});
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
