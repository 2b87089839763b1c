#include "engine/ledger.h"

#include <climits>
#include <filesystem>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sqlite3.h>
#include <tuple>
#include <unistd.h>

#include "api/http/google_error.h"
#include "io/base/exhaustion.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr int kSchemaVersion = 2;

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

// Version 2: rounds of failed rows, what an attempt asks for, surplus jobs.
constexpr char kFrom1To2[] =
    "BEGIN;"
    "ALTER TABLE shards ADD COLUMN jobs_ended INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE shards ADD COLUMN round INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE shards ADD COLUMN rows_asked INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE shards ADD COLUMN retry_classes TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE shards ADD COLUMN request_file TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE shards ADD COLUMN request_bytes INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE shards ADD COLUMN request_xxh3 TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE attempts ADD COLUMN rows INTEGER NOT NULL DEFAULT 0;"
    "UPDATE shards SET rows_asked=rows, jobs_ended=jobs_ended_empty;"
    "UPDATE attempts SET rows=coalesce((SELECT rows FROM shards WHERE shard=attempts.shard),0);"
    "CREATE TABLE surplus(job TEXT PRIMARY KEY, display_name TEXT NOT NULL, state TEXT NOT NULL,"
    " noted INTEGER NOT NULL) WITHOUT ROWID;"
    "PRAGMA user_version=2;"
    "COMMIT;";

constexpr std::string_view kTrackColumns =
    "shard, rows, state, attempt, jobs_ended_empty, staged_file, job, note, given_up";
constexpr std::string_view kTrackColumnsSince2 =
    "jobs_ended, round, rows_asked, retry_classes, request_file, request_bytes, request_xxh3";
constexpr std::string_view kAttemptRowsSince2 = "rows";
constexpr std::string_view kAttemptRowsOf1 =
    "(SELECT rows FROM shards WHERE shards.shard=attempts.shard)";
constexpr std::string_view kTrackColumnsOf1 = "jobs_ended_empty, 0, rows, '', '', 0, ''";

// Shards (or attempts) with values that no version of sluice wrote.
constexpr char kOddShards[] =
    "SELECT shard FROM shards WHERE typeof(rows)<>'integer' OR rows<0"
    " OR typeof(attempt)<>'integer' OR attempt NOT BETWEEN 1 AND 1000000000"
    " OR typeof(jobs_ended_empty)<>'integer' OR jobs_ended_empty NOT BETWEEN 0 AND 1000000000"
    " OR shard NOT BETWEEN 0 AND 4294967295";
constexpr char kOddShardsSince2[] =
    "SELECT shard FROM shards WHERE typeof(jobs_ended)<>'integer'"
    " OR jobs_ended NOT BETWEEN 0 AND 1000000000 OR typeof(round)<>'integer'"
    " OR round NOT BETWEEN 0 AND 1000000000 OR typeof(rows_asked)<>'integer' OR rows_asked<0"
    " OR typeof(request_bytes)<>'integer' OR request_bytes<0"
    " UNION SELECT shard FROM attempts WHERE typeof(rows)<>'integer' OR rows<0";
constexpr char kOddAttempts[] =
    "SELECT shard FROM attempts WHERE typeof(shard)<>'integer'"
    " OR shard NOT BETWEEN 0 AND 4294967295 OR typeof(attempt)<>'integer'"
    " OR attempt NOT BETWEEN 1 AND 1000000000"
    " OR outcome NOT IN ('INTENT','CREATED','REFUSED','NOT_SENT','UNKNOWN','DEAD')";

// Shards that contradict the other tables.
constexpr char kMergesOfNoShard[] =
    "SELECT shard FROM merges WHERE shard NOT IN (SELECT shard FROM shards)";
constexpr char kAttemptsOfNoShard[] =
    "SELECT a.shard FROM attempts a LEFT JOIN shards s ON s.shard=a.shard"
    " WHERE s.shard IS NULL OR a.attempt>s.attempt";
constexpr char kShardsWithoutAttempt[] =
    "SELECT shard FROM shards s WHERE state IN ('INTENT','UNKNOWN','FENCED','SUBMITTED')"
    " AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.shard=s.shard AND a.attempt=s.attempt)";
constexpr char kShardsAskedBefore[] =
    "SELECT shard FROM shards s WHERE state IN ('SEALED','STAGED') AND EXISTS (SELECT 1 FROM"
    " attempts a WHERE a.shard=s.shard AND a.attempt=s.attempt"
    " AND a.outcome NOT IN ('NOT_SENT','REFUSED'))";

// Attempts that made a job, or may have.
constexpr std::string_view kMayHaveMadeAJob = "outcome NOT IN ('NOT_SENT','REFUSED','DEAD')";

std::string OutcomeName(AttemptOutcome outcome) {
  switch (outcome) {
    case AttemptOutcome::kCreated:
      return "CREATED";
    case AttemptOutcome::kRefused:
      return "REFUSED";
    case AttemptOutcome::kNotSent:
      return "NOT_SENT";
    case AttemptOutcome::kUnknown:
      return "UNKNOWN";
    case AttemptOutcome::kDead:
      return "DEAD";
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

std::unexpected<Error> Damaged(const std::string& what) {
  return Fail(ErrorCode::kInput, "the ledger is damaged: " + what,
              "restore it from a copy; starting over would pay again for jobs that exist");
}

bool IsBetween(const Json& json, int64_t least, int64_t most) {
  return json.is_number_integer() && json.get<int64_t>() >= least && json.get<int64_t>() <= most;
}

Result<std::optional<RowFailure>> FailureFromJson(const std::string& text) {
  if (text.empty()) {
    return std::nullopt;
  }
  const Json json = ParseJson(text);
  const Json type = json.is_object() ? json.value("class", Json()) : Json();
  const Json code = json.is_object() ? json.value("code", Json()) : Json();
  if (!IsBetween(type, 0, static_cast<int>(FailureClass::kCancelled)) ||
      !IsBetween(code, INT_MIN, INT_MAX) || !json.value("message", Json()).is_string()) {
    return Damaged("a reason to give up cannot be read");
  }
  return RowFailure{.failure_class = static_cast<FailureClass>(type.get<int>()),
                    .code = code.get<int>(),
                    .message = json["message"]};
}

int PrimaryCode(sqlite3* database) { return sqlite3_errcode(database) & 0xff; }

bool SaysDamaged(int code) { return code == SQLITE_CORRUPT || code == SQLITE_NOTADB; }

// What is damaged stays so, however often it is tried; but SQLite calls a file malformed also when
// the disk failed to read it once (SQLITE_IOERR_CORRUPTFS). A second look tells.
bool IsDamaged(sqlite3* database) {
  const char* path = sqlite3_db_filename(database, "main");
  if (!SaysDamaged(PrimaryCode(database)) || path == nullptr) {
    return SaysDamaged(PrimaryCode(database));
  }
  sqlite3* opened = nullptr;
  sqlite3_open_v2(path, &opened, SQLITE_OPEN_READONLY, nullptr);
  const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> second(opened, &sqlite3_close);
  sqlite3_stmt* prepared = nullptr;
  sqlite3_prepare_v2(second.get(), "PRAGMA quick_check(1)", -1, &prepared, nullptr);
  const std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> look(prepared,
                                                                        &sqlite3_finalize);
  if (look == nullptr || sqlite3_step(look.get()) != SQLITE_ROW) {
    return SaysDamaged(PrimaryCode(second.get()));
  }
  const auto* verdict = reinterpret_cast<const char*>(sqlite3_column_text(look.get(), 0));
  return verdict == nullptr || std::string_view(verdict) != "ok";
}

// SQLite calls many a full disk an I/O error.
Error FailureOf(sqlite3* database, const char* what) {
  const int code = PrimaryCode(database);
  const bool is_disk = code == SQLITE_FULL || code == SQLITE_IOERR || code == SQLITE_CANTOPEN;
  return Error{
      .code = IsDamaged(database) ? ErrorCode::kInput : ErrorCode::kIo,
      .message = fmt::format("cannot {} the ledger: {}", what, sqlite3_errmsg(database)),
      .hint = is_disk ? "make room if the disk is full; the same command then goes on" : ""};
}

int64_t WallSeconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

AttemptOutcome OutcomeOf(CreateOutcome outcome) {
  switch (outcome) {
    case CreateOutcome::kCreated:
      return AttemptOutcome::kCreated;
    case CreateOutcome::kRefused:
      return AttemptOutcome::kRefused;
    case CreateOutcome::kNotSent:
      return AttemptOutcome::kNotSent;
    case CreateOutcome::kUnknown:
      return AttemptOutcome::kUnknown;
  }
  return AttemptOutcome::kUnknown;
}

void Ledger::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

// A prepared statement that is used once.
class Ledger::Statement {
 public:
  Statement(sqlite3_stmt* statement, sqlite3* database)
      : statement_(statement), database_(database) {}

  Statement& Bind(int64_t value) {
    return Note(sqlite3_bind_int64(statement_.get(), ++bound_, value));
  }
  Statement& Bind(uint64_t value) { return Bind(static_cast<int64_t>(value)); }
  Statement& Bind(int value) { return Bind(static_cast<int64_t>(value)); }
  Statement& Bind(const std::string& text) {
    return Note(sqlite3_bind_text64(statement_.get(), ++bound_, text.data(), text.size(),
                                    SQLITE_TRANSIENT, SQLITE_UTF8));
  }

  // True when there is a row to read.
  Result<bool> Step() {
    if (!is_bound_) {
      return std::unexpected(FailureOf(database_, Verb()));
    }
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW || code == SQLITE_DONE) {
      return code == SQLITE_ROW;
    }
    return std::unexpected(FailureOf(database_, Verb()));
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
  const char* Verb() const {
    return sqlite3_stmt_readonly(statement_.get()) != 0 ? "read" : "write";
  }
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  // A value that found no memory would be NULL, and a question about it be answered with nothing.
  Statement& Note(int code) {
    is_bound_ = is_bound_ && code == SQLITE_OK;
    return *this;
  }

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  sqlite3* database_;
  int bound_ = 0;
  bool is_bound_ = true;
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
  RequireMemory(database != nullptr);
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
      return Damaged("SQLite cannot use '" + path + "'");
    }
  }
  SLUICE_ASSIGN(ledger.version_, ledger.ReadVersion());
  SLUICE_TRY(ledger.ExpectKnownVersion(path));
  SLUICE_TRY(ledger.MakeCurrent());
  // What an earlier process could write but not sync can be read here all the same, so it is
  // written once more, into the main file, before anything is done that relies on it.
  SLUICE_TRY(ledger.Execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  SLUICE_TRY(ledger.CheckValues());
  SLUICE_TRY(ledger.CheckRelations());
  return ledger;
}

Result<void> Ledger::MakeCurrent() {
  if (version_ == 0) {
    SLUICE_TRY(Execute(kSchema));
    version_ = 1;
  }
  if (version_ == 1) {
    SLUICE_TRY(Execute(kFrom1To2));
    version_ = 2;
  }
  return {};
}

Result<int64_t> Ledger::ReadVersion() {
  SLUICE_ASSIGN(Statement version, Prepare("PRAGMA user_version"));
  SLUICE_TRY(version.Step());
  return version.Integer(0);
}

Result<void> Ledger::ExpectKnownVersion(const std::string& path) const {
  if (version_ > kSchemaVersion) {
    return Fail(ErrorCode::kInput, fmt::format("the ledger '{}' is of a newer sluice", path),
                "use the version that began this run");
  }
  return {};
}

Result<Ledger> Ledger::OpenToRead(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  if (access(folder.c_str(), W_OK) == 0) {
    return OpenAsItIs(path);
  }
  // SQLite wants to make files beside a ledger that it only reads.
  SLUICE_ASSIGN(LedgerCopy copy, LedgerCopy::Make(path));
  SLUICE_ASSIGN(Ledger ledger, OpenAsItIs(copy.path()));
  ledger.copy_.emplace(std::move(copy));
  return ledger;
}

Result<Ledger> Ledger::OpenAsItIs(const std::string& path) {
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr);
  RequireMemory(database != nullptr);
  Ledger ledger(database);
  if (code != SQLITE_OK) {
    return std::unexpected(ledger.Failure("open"));
  }
  sqlite3_busy_timeout(database, 10'000);
  SLUICE_ASSIGN(ledger.version_, ledger.ReadVersion());
  if (ledger.version_ == 0) {
    return Fail(ErrorCode::kUsage, "the ledger is empty: the run was stopped before it began",
                "`sluice run` with its INPUT and flags begins it");
  }
  SLUICE_TRY(ledger.ExpectKnownVersion(path));
  SLUICE_TRY(ledger.CheckValues());
  SLUICE_TRY(ledger.Tracks());
  SLUICE_TRY(ledger.Merges());
  return ledger;
}

Result<void> Ledger::CheckValues() {
  SLUICE_TRY(ExpectNone(kOddShards, "shard {}: a number is not one"));
  SLUICE_TRY(ExpectNone(kOddAttempts, "shard {}: an attempt has an unknown outcome or number"));
  if (version_ >= 2) {
    SLUICE_TRY(ExpectNone(kOddShardsSince2, "shard {}: a number is not one"));
  }
  SLUICE_ASSIGN(Statement select, Prepare("SELECT key, value FROM meta"));
  while (true) {
    SLUICE_ASSIGN(const bool more, select.Step());
    if (!more) {
      return {};
    }
    if (!IsReadableEntry(select.Text(0), select.Text(1))) {
      return Damaged("its entry '" + PrintableText(select.Text(0), 64) + "' cannot be read");
    }
  }
}

// What each write relies on, so that a row that is gone is an error here and no stop later.
Result<void> Ledger::CheckRelations() {
  SLUICE_ASSIGN(const auto tracks, Tracks());
  SLUICE_ASSIGN(const auto merges, Merges());
  SLUICE_TRY(ExpectNone(kMergesOfNoShard, "shard {} is merged and not there"));
  SLUICE_TRY(ExpectNone(kAttemptsOfNoShard, "shard {} does not know of an attempt of its own"));
  SLUICE_TRY(ExpectNone(kShardsWithoutAttempt, "the attempt of shard {} that asks is not there"));
  SLUICE_TRY(ExpectNone(kShardsAskedBefore, "shard {} is to be asked, and was asked already"));
  for (const ShardTrack& track : tracks) {
    const auto counts = merges.find(track.shard);
    if (WasMerged(track) != (counts != merges.end())) {
      return Damaged(fmt::format("shard {} is {}, but its merge {} noted", track.shard,
                                 ShardStateName(track.state),
                                 WasMerged(track) ? "was never" : "is"));
    }
    if (counts != merges.end() && counts->second.ok + counts->second.failed != track.rows) {
      return Damaged(fmt::format("the counts of shard {} do not add up", track.shard));
    }
    if (const std::string fault = FaultOfStep(&track, track); !fault.empty()) {
      return Damaged(fault);
    }
  }
  return {};
}

Result<void> Ledger::ExpectNone(const char* shards, fmt::format_string<int64_t> fault) {
  SLUICE_ASSIGN(Statement select, Prepare(shards));
  SLUICE_ASSIGN(const bool found, select.Step());
  return found ? Damaged(fmt::format(fault, select.Integer(0))) : Result<void>();
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
    // SQLite has rolled back by itself when the disk or memory failed; then this fails, too.
    std::ignore = Execute("ROLLBACK");
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

Result<std::vector<ShardTrack>> Ledger::Tracks() { return Select(""); }

Result<std::optional<ShardTrack>> Ledger::Find(uint32_t shard) {
  SLUICE_ASSIGN(auto tracks, Select(fmt::format("WHERE shard={}", shard)));
  return tracks.empty() ? std::nullopt : std::optional(std::move(tracks.front()));
}

Result<std::vector<ShardTrack>> Ledger::Select(const std::string& where) {
  const std::string sql =
      fmt::format("SELECT {}, {} FROM shards {} ORDER BY shard", kTrackColumns,
                  version_ >= 2 ? kTrackColumnsSince2 : kTrackColumnsOf1, where);
  SLUICE_ASSIGN(Statement select, Prepare(sql.c_str()));
  std::vector<ShardTrack> tracks;
  while (true) {
    SLUICE_ASSIGN(const bool more, select.Step());
    if (!more) {
      return tracks;
    }
    const std::optional<ShardState> state = ParseShardState(select.Text(2));
    const std::optional<FailureClasses> classes = FailureClasses::Parse(select.Text(12));
    if (!state.has_value() || !classes.has_value()) {
      return Damaged(fmt::format("it holds an unknown state '{}' or class '{}'", select.Text(2),
                                 select.Text(12)));
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
    SLUICE_ASSIGN(track.given_up, FailureFromJson(select.Text(8)));
    track.jobs_ended = static_cast<int>(select.Integer(9));
    track.round = static_cast<int>(select.Integer(10));
    track.rows_asked = static_cast<uint64_t>(select.Integer(11));
    track.retry_classes = *classes;
    track.request = {.name = select.Text(13),
                     .plain_bytes = static_cast<uint64_t>(select.Integer(14)),
                     .checksum = select.Text(15)};
  }
}

Result<void> Ledger::Save(const ShardTrack& track) {
  return InTransaction([&] { return Write(track); });
}

// Within a transaction.
Result<void> Ledger::Write(const ShardTrack& track) {
  SLUICE_ASSIGN(const std::optional<ShardTrack> before, Find(track.shard));
  const std::string fault = FaultOfStep(before.has_value() ? &*before : nullptr, track);
  SLUICE_CHECK(fault.empty(), fault);
  if (before.has_value() && WasMerged(*before) && !WasMerged(track)) {
    SLUICE_ASSIGN(Statement remove, Prepare("DELETE FROM merges WHERE shard=?"));
    SLUICE_TRY(remove.Bind(int64_t{track.shard}).Run());
  }
  SLUICE_ASSIGN(
      Statement insert,
      Prepare(
          "INSERT INTO shards(shard, rows, state, attempt, jobs_ended_empty, staged_file, job,"
          " note, given_up, updated, jobs_ended, round, rows_asked, retry_classes, request_file,"
          " request_bytes, request_xxh3) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
          " ON CONFLICT(shard) DO UPDATE SET state=excluded.state,"
          " attempt=excluded.attempt, jobs_ended_empty=excluded.jobs_ended_empty,"
          " staged_file=excluded.staged_file, job=excluded.job, note=excluded.note,"
          " given_up=excluded.given_up, updated=excluded.updated,"
          " jobs_ended=excluded.jobs_ended, round=excluded.round,"
          " rows_asked=excluded.rows_asked, retry_classes=excluded.retry_classes,"
          " request_file=excluded.request_file, request_bytes=excluded.request_bytes,"
          " request_xxh3=excluded.request_xxh3"));
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
      .Bind(track.jobs_ended)
      .Bind(track.round)
      .Bind(track.rows_asked)
      .Bind(track.retry_classes.text())
      .Bind(track.request.name)
      .Bind(track.request.plain_bytes)
      .Bind(track.request.checksum)
      .Run();
}

// Within the transaction of the intent, so that no two creates can both be the last that fits.
Result<void> Ledger::CheckCap(const ShardTrack& track, const SpendCap& cap) {
  const std::string sql = fmt::format(
      "SELECT count(*), coalesce(sum(rows),0) FROM attempts WHERE {}", kMayHaveMadeAJob);
  SLUICE_ASSIGN(Statement sums, Prepare(sql.c_str()));
  SLUICE_TRY(sums.Step());
  const auto jobs = static_cast<uint64_t>(sums.Integer(0));
  const auto rows = static_cast<uint64_t>(sums.Integer(1));
  const std::string hint =
      "raise it to go on; what was asked for is kept, and fetched when it is done";
  if (cap.jobs_max.has_value() && jobs + 1 > *cap.jobs_max) {
    return Fail(ErrorCode::kBudget,
                fmt::format("--max-jobs {}: {} jobs were made and shard {} needs one more",
                            *cap.jobs_max, jobs, track.shard),
                hint);
  }
  if (cap.rows_max.has_value() && rows + track.rows_asked > *cap.rows_max) {
    return Fail(ErrorCode::kBudget,
                fmt::format("--max-rows {}: {} rows were asked for and shard {} has {} more",
                            *cap.rows_max, rows, track.shard, track.rows_asked),
                hint);
  }
  return {};
}

Result<void> Ledger::SaveIntent(const ShardTrack& track, const std::string& display_name,
                                const SpendCap& cap) {
  return InTransaction([&]() -> Result<void> {
    SLUICE_TRY(CheckCap(track, cap));
    SLUICE_ASSIGN(
        Statement insert,
        Prepare("INSERT INTO attempts(shard, attempt, display_name, staged_file, outcome, job,"
                " noted, rows) VALUES(?,?,?,?,'INTENT','',?,?)"
                " ON CONFLICT(shard, attempt) DO UPDATE SET outcome='INTENT'"
                " WHERE attempts.outcome IN ('NOT_SENT','REFUSED')"));
    SLUICE_TRY(insert.Bind(int64_t{track.shard})
                   .Bind(track.attempt)
                   .Bind(display_name)
                   .Bind(track.staged_file)
                   .Bind(WallSeconds())
                   .Bind(track.rows_asked)
                   .Run());
    SLUICE_CHECK(sqlite3_changes(database_.get()) == 1,
                 "a second intent for an attempt that may have made a job");
    return Write(track);
  });
}

Result<void> Ledger::SaveOutcome(const ShardTrack& track, AttemptOutcome outcome) {
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
    return Write(track);
  });
}

Result<void> Ledger::SaveMerged(const ShardTrack& track, const MergeCounts& counts) {
  return InTransaction([&]() -> Result<void> {
    SLUICE_ASSIGN(const auto before, SelectMerges(fmt::format("WHERE shard={}", track.shard)));
    SLUICE_CHECK(before.empty() == (track.round == 0), "a round is merged once");
    const MergeCounts joined =
        before.empty() ? counts : JoinedCounts(before.begin()->second, counts);
    SLUICE_CHECK(joined.ok + joined.failed == track.rows, "a shard's counts do not add up");
    SLUICE_ASSIGN(Statement insert, Prepare("INSERT INTO merges VALUES(?,?)"
                                            " ON CONFLICT(shard) DO UPDATE SET"
                                            " counts=excluded.counts"));
    SLUICE_TRY(insert.Bind(int64_t{track.shard}).Bind(FormatMergeCounts(joined)).Run());
    return Write(track);
  });
}

Result<void> Ledger::SaveAll(const std::vector<ShardTrack>& tracks,
                             const std::map<std::string, std::string>& meta) {
  return InTransaction([&]() -> Result<void> {
    for (const ShardTrack& track : tracks) {
      SLUICE_TRY(Write(track));
    }
    for (const auto& [key, value] : meta) {
      if (!value.empty()) {
        SLUICE_TRY(Set(key, value));
        continue;
      }
      SLUICE_ASSIGN(Statement remove, Prepare("DELETE FROM meta WHERE key=?"));
      SLUICE_TRY(remove.Bind(key).Run());
    }
    return {};
  });
}

Result<void> Ledger::SaveSurplus(const SurplusJob& surplus) {
  SLUICE_ASSIGN(Statement insert, Prepare("INSERT INTO surplus VALUES(?,?,?,?)"
                                          " ON CONFLICT(job) DO UPDATE SET state=excluded.state"));
  return insert.Bind(surplus.job)
      .Bind(surplus.display_name)
      .Bind(surplus.state)
      .Bind(WallSeconds())
      .Run();
}

Result<std::vector<SurplusJob>> Ledger::Surplus() {
  std::vector<SurplusJob> jobs;
  if (version_ < 2) {
    return jobs;
  }
  SLUICE_ASSIGN(Statement select,
                Prepare("SELECT job, display_name, state FROM surplus ORDER BY job"));
  while (true) {
    SLUICE_ASSIGN(const bool more, select.Step());
    if (!more) {
      return jobs;
    }
    jobs.push_back(
        {.job = select.Text(0), .display_name = select.Text(1), .state = select.Text(2)});
  }
}

Result<std::map<uint32_t, MergeCounts>> Ledger::Merges() { return SelectMerges(""); }

Result<std::map<uint32_t, MergeCounts>> Ledger::SelectMerges(const std::string& where) {
  SLUICE_ASSIGN(Statement select, Prepare(("SELECT shard, counts FROM merges " + where).c_str()));
  std::map<uint32_t, MergeCounts> merges;
  while (true) {
    SLUICE_ASSIGN(const bool more, select.Step());
    if (!more) {
      return merges;
    }
    auto counts = ParseMergeCounts(select.Text(1));
    if (!counts.has_value()) {
      return Damaged(fmt::format("the counts of shard {} cannot be read", select.Integer(0)));
    }
    merges[static_cast<uint32_t>(select.Integer(0))] = *std::move(counts);
  }
}

Result<std::vector<AttemptRecord>> Ledger::Attempts() {
  const std::string sql = fmt::format(
      "SELECT shard, attempt, display_name, outcome, job, {} FROM attempts ORDER BY shard, attempt",
      version_ >= 2 ? kAttemptRowsSince2 : kAttemptRowsOf1);
  SLUICE_ASSIGN(Statement select, Prepare(sql.c_str()));
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
                        .job = select.Text(4),
                        .rows = static_cast<uint64_t>(select.Integer(5))});
  }
}

Result<void> Ledger::CheckIntegrity() {
  SLUICE_ASSIGN(Statement check, Prepare("PRAGMA integrity_check(1)"));
  SLUICE_ASSIGN(const bool checked, check.Step());
  if (!checked || check.Text(0) != "ok") {
    return Damaged(check.Text(0));
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
