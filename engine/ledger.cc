#include "engine/ledger.h"

#include <filesystem>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sqlite3.h>

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr int kSchemaVersion = 1;

constexpr char kSettings[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
    "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;";

constexpr char kSchema[] =
    "BEGIN;"
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE shards(shard INTEGER PRIMARY KEY, rows INTEGER NOT NULL, state TEXT NOT NULL,"
    " attempt INTEGER NOT NULL, jobs_ended_empty INTEGER NOT NULL, staged_file TEXT NOT NULL,"
    " job TEXT NOT NULL, note TEXT NOT NULL, given_up TEXT NOT NULL, updated INTEGER NOT NULL);"
    "CREATE TABLE attempts(shard INTEGER NOT NULL, attempt INTEGER NOT NULL,"
    " display_name TEXT NOT NULL, staged_file TEXT NOT NULL, outcome TEXT NOT NULL,"
    " job TEXT NOT NULL, noted INTEGER NOT NULL, PRIMARY KEY(shard, attempt)) WITHOUT ROWID;"
    "CREATE TABLE merges(shard INTEGER PRIMARY KEY, counts TEXT NOT NULL);"
    "PRAGMA user_version=1;"
    "COMMIT;";

std::string OutcomeName(CreateOutcome outcome) {
  switch (outcome) {
    case CreateOutcome::kCreated:
      return "CREATED";
    case CreateOutcome::kRefused:
      return "REFUSED";
    case CreateOutcome::kNotSent:
      return "NOT_SENT";
    case CreateOutcome::kUnknown:
      return "UNKNOWN";
  }
  return "UNKNOWN";
}

std::string ToJson(const std::optional<RowFailure>& failure) {
  if (!failure.has_value()) {
    return {};
  }
  return Json{{"class", static_cast<int>(failure->failure_class)},
              {"code", failure->code},
              {"message", failure->message}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<RowFailure> FailureFromJson(const std::string& text) {
  if (text.empty()) {
    return std::nullopt;
  }
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) {
    return RowFailure{.message = "the reason is not readable any more"};
  }
  return RowFailure{.failure_class = static_cast<FailureClass>(json.value("class", 0)),
                    .code = json.value("code", 0),
                    .message = json.value("message", "")};
}

Json ToJson(const MergeCounts& counts) {
  Json json = {{"ok", counts.ok},
               {"failed", counts.failed},
               {"failed_by_class", counts.failed_by_class},
               {"duplicates", counts.duplicates},
               {"conflicts", counts.conflicts},
               {"strangers", counts.strangers},
               {"malformed_lines", counts.malformed_lines},
               {"answer_bytes", counts.answer_bytes},
               {"values", counts.values},
               {"general_values", counts.general_values}};
  if (counts.digest.has_value()) {
    json["digest"] = *counts.digest;
  }
  if (counts.prompt_tokens.has_value()) {
    json["prompt_tokens"] = *counts.prompt_tokens;
  }
  if (counts.output_tokens.has_value()) {
    json["output_tokens"] = *counts.output_tokens;
  }
  return json;
}

std::optional<int64_t> OptionalCount(const Json& json, const char* name) {
  return json.contains(name) ? std::optional(json.at(name).get<int64_t>()) : std::nullopt;
}

MergeCounts CountsFromJson(const Json& json) {
  return {.ok = json.at("ok"),
          .failed = json.at("failed"),
          .failed_by_class = json.at("failed_by_class"),
          .duplicates = json.at("duplicates"),
          .conflicts = json.at("conflicts"),
          .strangers = json.at("strangers"),
          .malformed_lines = json.at("malformed_lines"),
          .prompt_tokens = OptionalCount(json, "prompt_tokens"),
          .output_tokens = OptionalCount(json, "output_tokens"),
          .answer_bytes = json.at("answer_bytes"),
          .values = json.value("values", uint64_t{0}),
          .general_values = json.value("general_values", uint64_t{0}),
          .digest = json.contains("digest") ? std::optional(json.at("digest").get<uint64_t>())
                                            : std::nullopt};
}

// SQLite calls many a full disk an I/O error.
Error FailureOf(sqlite3* database, const char* what) {
  const int code = sqlite3_errcode(database) & 0xff;
  const bool is_disk = code == SQLITE_FULL || code == SQLITE_IOERR || code == SQLITE_CANTOPEN;
  return Error{
      .code = ErrorCode::kIo,
      .message = fmt::format("cannot {} the ledger: {}", what, sqlite3_errmsg(database)),
      .hint = is_disk ? "make room if the disk is full; the same command then goes on" : ""};
}

int64_t WallSeconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

void Ledger::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

// A prepared statement that is used once.
class Ledger::Statement {
 public:
  Statement(sqlite3_stmt* statement, sqlite3* database)
      : statement_(statement), database_(database) {}

  Statement& Bind(int64_t value) {
    sqlite3_bind_int64(statement_.get(), ++bound_, value);
    return *this;
  }
  Statement& Bind(uint64_t value) { return Bind(static_cast<int64_t>(value)); }
  Statement& Bind(int value) { return Bind(static_cast<int64_t>(value)); }
  Statement& Bind(const std::string& text) {
    sqlite3_bind_text64(statement_.get(), ++bound_, text.data(), text.size(), SQLITE_TRANSIENT,
                        SQLITE_UTF8);
    return *this;
  }

  // True when there is a row to read.
  Result<bool> Step() {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW || code == SQLITE_DONE) {
      return code == SQLITE_ROW;
    }
    return std::unexpected(FailureOf(database_, "write"));
  }
  Result<void> Run() {
    SLUICE_TRY(Step());
    return {};
  }

  [[nodiscard]] int64_t Integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
  }
  [[nodiscard]] std::string Text(int column) const {
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
    const int size = sqlite3_column_bytes(statement_.get(), column);
    return bytes == nullptr ? std::string() : std::string(bytes, static_cast<size_t>(size));
  }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  sqlite3* database_;
  int bound_ = 0;
};

Error Ledger::Failure(const char* what) const { return FailureOf(database_.get(), what); }

Result<Ledger> Ledger::Open(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_symlink(path, ignored)) {
    return Fail(ErrorCode::kIo, fmt::format("the ledger '{}' is a symbolic link", path));
  }
  sqlite3* database = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  Ledger ledger(database);
  if (code != SQLITE_OK) {
    return std::unexpected(ledger.Failure("open"));
  }
  sqlite3_busy_timeout(database, 10'000);
  SLUICE_TRY(ledger.Execute(kSettings));
  // Blocks, because a statement that is still there locks its table.
  {
    SLUICE_ASSIGN(Statement check, ledger.Prepare("PRAGMA quick_check(1)"));
    SLUICE_ASSIGN(const bool checked, check.Step());
    if (!checked || check.Text(0) != "ok") {
      return Fail(ErrorCode::kIo, fmt::format("the ledger '{}' is damaged", path),
                  "restore it from a copy; starting over would pay again for jobs that exist");
    }
  }
  int64_t found = 0;
  {
    SLUICE_ASSIGN(Statement version, ledger.Prepare("PRAGMA user_version"));
    SLUICE_TRY(version.Step());
    found = version.Integer(0);
  }
  if (found > kSchemaVersion) {
    return Fail(ErrorCode::kIo, fmt::format("the ledger '{}' is of a newer sluice", path),
                "use the version that began this run");
  }
  if (found == 0) {
    SLUICE_TRY(ledger.Execute(kSchema));
  }
  // What an earlier process could write but not sync can be read here all the same, so it is
  // written once more, into the main file, before anything is done that relies on it.
  SLUICE_TRY(ledger.Execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  return ledger;
}

Result<Ledger> Ledger::OpenToRead(const std::string& path) {
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr);
  Ledger ledger(database);
  if (code != SQLITE_OK) {
    return std::unexpected(ledger.Failure("open"));
  }
  sqlite3_busy_timeout(database, 10'000);
  return ledger;
}

Result<void> Ledger::Execute(const char* sql) {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return std::unexpected(Failure("use"));
  }
  return {};
}

Result<void> Ledger::InTransaction(const std::function<Result<void>()>& write) {
  SLUICE_TRY(Execute("BEGIN IMMEDIATE"));
  if (Result<void> written = write(); !written.has_value()) {
    SLUICE_TRY(Execute("ROLLBACK"));
    return written;
  }
  return Execute("COMMIT");
}

Result<Ledger::Statement> Ledger::Prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database_.get(), sql, -1, &statement, nullptr) != SQLITE_OK) {
    return std::unexpected(Failure("read"));
  }
  return Statement(statement, database_.get());
}

Result<std::optional<std::string>> Ledger::Get(const std::string& key) {
  SLUICE_ASSIGN(Statement select, Prepare("SELECT value FROM meta WHERE key=?"));
  SLUICE_ASSIGN(const bool found, select.Bind(key).Step());
  return found ? std::optional(select.Text(0)) : std::nullopt;
}

Result<void> Ledger::Set(const std::string& key, const std::string& value) {
  SLUICE_ASSIGN(Statement insert, Prepare("INSERT INTO meta VALUES(?,?)"
                                          " ON CONFLICT(key) DO UPDATE SET value=excluded.value"));
  return insert.Bind(key).Bind(value).Run();
}

Result<std::vector<ShardTrack>> Ledger::Tracks() {
  SLUICE_ASSIGN(Statement select,
                Prepare("SELECT shard, rows, state, attempt, jobs_ended_empty, staged_file, job,"
                        " note, given_up FROM shards ORDER BY shard"));
  std::vector<ShardTrack> tracks;
  while (true) {
    SLUICE_ASSIGN(const bool more, select.Step());
    if (!more) {
      return tracks;
    }
    const std::optional<ShardState> state = ParseShardState(select.Text(2));
    if (!state.has_value()) {
      return Fail(ErrorCode::kIo,
                  fmt::format("the ledger holds an unknown state '{}'", select.Text(2)));
    }
    ShardTrack& track = tracks.emplace_back();
    track.shard = static_cast<uint32_t>(select.Integer(0));
    track.rows = static_cast<uint64_t>(select.Integer(1));
    track.state = *state;
    track.attempt = static_cast<int>(select.Integer(3));
    track.jobs_ended_empty = static_cast<int>(select.Integer(4));
    track.staged_file = select.Text(5);
    track.job = select.Text(6);
    track.note = select.Text(7);
    track.given_up = FailureFromJson(select.Text(8));
  }
}

Result<void> Ledger::Save(const ShardTrack& track) {
  SLUICE_ASSIGN(Statement insert,
                Prepare("INSERT INTO shards VALUES(?,?,?,?,?,?,?,?,?,?)"
                        " ON CONFLICT(shard) DO UPDATE SET state=excluded.state,"
                        " attempt=excluded.attempt, jobs_ended_empty=excluded.jobs_ended_empty,"
                        " staged_file=excluded.staged_file, job=excluded.job, note=excluded.note,"
                        " given_up=excluded.given_up, updated=excluded.updated"));
  return insert.Bind(int64_t{track.shard})
      .Bind(track.rows)
      .Bind(std::string(ShardStateName(track.state)))
      .Bind(track.attempt)
      .Bind(track.jobs_ended_empty)
      .Bind(track.staged_file)
      .Bind(track.job)
      .Bind(track.note)
      .Bind(ToJson(track.given_up))
      .Bind(WallSeconds())
      .Run();
}

Result<void> Ledger::SaveIntent(const ShardTrack& track, const std::string& display_name) {
  return InTransaction([&]() -> Result<void> {
    SLUICE_ASSIGN(Statement insert,
                  Prepare("INSERT INTO attempts VALUES(?,?,?,?,'INTENT','',?)"
                          " ON CONFLICT(shard, attempt) DO UPDATE SET outcome='INTENT'"
                          " WHERE attempts.outcome IN ('NOT_SENT','REFUSED')"));
    SLUICE_TRY(insert.Bind(int64_t{track.shard})
                   .Bind(track.attempt)
                   .Bind(display_name)
                   .Bind(track.staged_file)
                   .Bind(WallSeconds())
                   .Run());
    SLUICE_CHECK(sqlite3_changes(database_.get()) == 1,
                 "a second intent for an attempt that may have made a job");
    return Save(track);
  });
}

Result<void> Ledger::SaveOutcome(const ShardTrack& track, CreateOutcome outcome) {
  return InTransaction([&]() -> Result<void> {
    // A refused or lost attempt may have moved the track on already; the job's name is in the track
    // only when there is one.
    SLUICE_ASSIGN(Statement update,
                  Prepare("UPDATE attempts SET outcome=?, job=? WHERE shard=? AND attempt="
                          "(SELECT max(attempt) FROM attempts WHERE shard=?)"));
    SLUICE_TRY(update.Bind(OutcomeName(outcome))
                   .Bind(track.job)
                   .Bind(int64_t{track.shard})
                   .Bind(int64_t{track.shard})
                   .Run());
    return Save(track);
  });
}

Result<void> Ledger::SaveMerged(const ShardTrack& track, const MergeCounts& counts) {
  return InTransaction([&]() -> Result<void> {
    SLUICE_ASSIGN(Statement insert, Prepare("INSERT INTO merges VALUES(?,?)"
                                            " ON CONFLICT(shard) DO UPDATE SET"
                                            " counts=excluded.counts"));
    SLUICE_TRY(insert.Bind(int64_t{track.shard}).Bind(ToJson(counts).dump()).Run());
    return Save(track);
  });
}

Result<std::map<uint32_t, MergeCounts>> Ledger::Merges() {
  SLUICE_ASSIGN(Statement select, Prepare("SELECT shard, counts FROM merges"));
  std::map<uint32_t, MergeCounts> merges;
  while (true) {
    SLUICE_ASSIGN(const bool more, select.Step());
    if (!more) {
      return merges;
    }
    try {
      merges[static_cast<uint32_t>(select.Integer(0))] =
          CountsFromJson(Json::parse(select.Text(1)));
    } catch (const Json::exception&) {
      return Fail(ErrorCode::kIo, "the ledger holds counts that cannot be read");
    }
  }
}

Result<std::vector<AttemptRecord>> Ledger::Attempts() {
  SLUICE_ASSIGN(Statement select, Prepare("SELECT shard, attempt, display_name, outcome, job"
                                          " FROM attempts ORDER BY shard, attempt"));
  std::vector<AttemptRecord> attempts;
  while (true) {
    SLUICE_ASSIGN(const bool more, select.Step());
    if (!more) {
      return attempts;
    }
    attempts.push_back({.shard = static_cast<uint32_t>(select.Integer(0)),
                        .attempt = static_cast<int>(select.Integer(1)),
                        .display_name = select.Text(2),
                        .outcome = select.Text(3),
                        .job = select.Text(4)});
  }
}

Result<void> Ledger::CheckIntegrity() {
  SLUICE_ASSIGN(Statement check, Prepare("PRAGMA integrity_check(1)"));
  SLUICE_ASSIGN(const bool checked, check.Step());
  if (!checked || check.Text(0) != "ok") {
    return Fail(ErrorCode::kIo, "the ledger is damaged: " + check.Text(0));
  }
  return {};
}

Result<std::vector<std::string>> Ledger::JobNames() {
  SLUICE_ASSIGN(Statement select, Prepare("SELECT job FROM attempts WHERE job<>''"));
  std::vector<std::string> names;
  while (true) {
    SLUICE_ASSIGN(const bool more, select.Step());
    if (!more) {
      return names;
    }
    names.push_back(select.Text(0));
  }
}

}  // namespace sluice
