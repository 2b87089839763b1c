#include "tools/progress_display.h"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>

#include "io/json/json_text.h"
#include "tools/terminal.h"
#include "tools/units.h"

namespace sluice {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFrame{100};
constexpr size_t kBarCells = 32;

double Seconds(milliseconds duration) {
  return std::max(static_cast<double>(duration.count()) / 1000.0, 0.001);
}

double Share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : std::min(1.0, static_cast<double>(part) / static_cast<double>(whole));
}

std::string Bar(double share) {
  const auto full = static_cast<size_t>(share * static_cast<double>(kBarCells));
  return std::string(full, '#') + std::string(kBarCells - full, '-');
}

std::string Rate(uint64_t bytes, milliseconds duration) {
  const double rate = static_cast<double>(bytes) / Seconds(duration);
  return FormatBytes(static_cast<uint64_t>(rate)) + "/s";
}

// How long the rest takes at the pace so far; nothing while there is no pace.
std::optional<milliseconds> TimeLeft(double share, milliseconds elapsed) {
  if (share < 0.01 || share >= 1) {
    return std::nullopt;
  }
  const double left = static_cast<double>(elapsed.count()) * (1 - share) / share;
  return milliseconds(static_cast<int64_t>(left));
}

std::string TimeNote(double share, milliseconds elapsed) {
  const std::optional<milliseconds> left = TimeLeft(share, elapsed);
  return left ? "ETA " + FormatDuration(*left) : "";
}

bool Uploaded(const ProgressSnapshot& snapshot) {
  return snapshot.packing_done && snapshot.shards_staged >= snapshot.shards_sealed;
}

std::string PrepareLine(const ProgressSnapshot& now, const StepDurations& times) {
  const milliseconds elapsed = now.packing_done ? times.prepare : now.elapsed;
  const double share = now.packing_done ? 1 : Share(now.corpus_bytes_read, now.corpus_bytes_total);
  const std::string note =
      now.packing_done ? "done " + FormatDuration(elapsed) : TimeNote(share, elapsed);
  const std::string ratio =
      now.compressed_bytes == 0 || now.compressed_bytes == now.request_bytes
          ? ""
          : fmt::format("{:.1f}x zstd", static_cast<double>(now.request_bytes) /
                                            static_cast<double>(now.compressed_bytes));
  const std::string rejected =
      now.rejected == 0 ? "" : fmt::format("   refused {}", FormatCount(now.rejected));
  return fmt::format("Prepare   {} {:<18} {:>11}   {:<10}  {}{}", Bar(share),
                     FormatCount(now.documents) + " docs", Rate(now.corpus_bytes_read, elapsed),
                     ratio, note, rejected);
}

std::string UploadLine(const ProgressSnapshot& now, const StepDurations& times) {
  const bool done = Uploaded(now);
  const milliseconds elapsed = done ? times.upload : now.elapsed;
  const double share = Share(now.shards_staged, now.shards_sealed);
  const std::string count =
      fmt::format("{}/{} shards", FormatCount(now.shards_staged), FormatCount(now.shards_sealed));
  return fmt::format("Upload    {} {:<18} {:>11}   {:<10}  {}", Bar(share), count,
                     Rate(now.bytes_uploaded, elapsed), FormatBytes(now.bytes_uploaded),
                     done ? "done " + FormatDuration(elapsed) : "");
}

std::string JobsLine(const ProgressSnapshot& now) {
  return fmt::format("Jobs      queued {}  running {}  done {}  failed {}", now.jobs_queued,
                     now.jobs_running, now.jobs_ended, now.jobs_failed);
}

std::string MergeLine(const ProgressSnapshot& now) {
  const uint64_t rows = now.rows_merged + now.rows_failed;
  const double share = now.packing_done ? Share(rows, now.documents) : 0;
  const std::string total = now.packing_done ? FormatCount(now.documents) : "?";
  const std::string failed =
      now.rows_failed == 0 ? "" : fmt::format("   failed {}", FormatCount(now.rows_failed));
  return fmt::format("Merge     {} {:<18} {:>11}   {:<10}  {}{}", Bar(share),
                     FormatCount(rows) + "/" + total, Rate(now.bytes_fetched, now.elapsed), "",
                     TimeNote(share, now.elapsed), failed);
}

std::string Quoted(std::string_view text) {
  std::string quoted;
  AppendJsonString(quoted, text);
  return quoted;
}

// For a terminal, too: nothing in it can steer the screen.
std::string AsciiJson(const std::string& text) {
  using Json = nlohmann::json;
  return Json(text).dump(-1, ' ', true, Json::error_handler_t::replace);
}

void WriteToStderr(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

}  // namespace

ProgressSnapshot TakeSnapshot(const Progress& progress, milliseconds elapsed) {
  return {.corpus_bytes_total = progress.corpus_bytes_total,
          .corpus_bytes_read = progress.corpus_bytes_read,
          .documents = progress.documents_packed,
          .rejected = progress.documents_rejected,
          .request_bytes = progress.request_bytes,
          .compressed_bytes = progress.compressed_bytes,
          .packing_done = progress.packing_done,
          .shards_sealed = progress.shards_sealed,
          .shards_staged = progress.shards_staged,
          .bytes_uploaded = progress.bytes_uploaded,
          .jobs_queued = progress.jobs_queued,
          .jobs_running = progress.jobs_running,
          .jobs_ended = progress.jobs_ended,
          .jobs_failed = progress.jobs_failed,
          .bytes_fetched = progress.bytes_fetched,
          .rows_merged = progress.rows_merged,
          .rows_failed = progress.rows_failed,
          .note = progress.note(),
          .elapsed = elapsed};
}

std::string_view StageName(const ProgressSnapshot& snapshot) {
  if (!snapshot.packing_done) {
    return "prepare";
  }
  if (!Uploaded(snapshot)) {
    return "upload";
  }
  if (snapshot.rows_merged + snapshot.rows_failed >= snapshot.documents) {
    return "done";
  }
  return snapshot.jobs_queued + snapshot.jobs_running > 0 ? "jobs" : "merge";
}

std::vector<std::string> DrawBlock(const ProgressSnapshot& snapshot, const StepDurations& times,
                                   size_t width, StepsShown steps) {
  std::vector<std::string> lines = {PrepareLine(snapshot, times)};
  if (steps == StepsShown::kAll) {
    lines.insert(lines.end(),
                 {UploadLine(snapshot, times), JobsLine(snapshot), MergeLine(snapshot)});
  }
  if (!snapshot.note.empty()) {
    lines.push_back("Note      " + EscapeControls(snapshot.note));
  }
  for (std::string& line : lines) {
    line.erase(line.find_last_not_of(' ') + 1);
    line = CutToWidth(line, width);
  }
  return lines;
}

std::string PlainProgressLine(const ProgressSnapshot& now, WallTime time) {
  std::string line = fmt::format(
      "{} progress stage={} documents={} refused={} shards={} uploaded={} queued={} running={} "
      "done={} failed={} merged={} rows_failed={} elapsed_s={}",
      FormatTime(time), StageName(now), now.documents, now.rejected, now.shards_sealed,
      now.shards_staged, now.jobs_queued, now.jobs_running, now.jobs_ended, now.jobs_failed,
      now.rows_merged, now.rows_failed, now.elapsed.count() / 1000);
  if (now.packing_done) {
    const double share = Share(now.rows_merged + now.rows_failed, now.documents);
    if (const auto left = TimeLeft(share, now.elapsed)) {
      line += fmt::format(" eta_s={}", left->count() / 1000);
    }
  }
  if (!now.note.empty()) {
    line += " note=" + Quoted(now.note);
  }
  return line;
}

std::string JsonProgressLine(const ProgressSnapshot& now, WallTime time) {
  return fmt::format(
      R"({{"v":1,"type":"progress","time":"{}","stage":"{}","corpus_bytes_total":{},)"
      R"("corpus_bytes_read":{},"documents":{},"rejected":{},"request_bytes":{},)"
      R"("compressed_bytes":{},"shards":{},"shards_uploaded":{},"bytes_uploaded":{},)"
      R"("jobs":{{"queued":{},"running":{},"done":{},"failed":{}}},"bytes_fetched":{},)"
      R"("merged":{},"failed":{},"note":{},"elapsed_ms":{}}})",
      FormatTime(time), StageName(now), now.corpus_bytes_total, now.corpus_bytes_read,
      now.documents, now.rejected, now.request_bytes, now.compressed_bytes, now.shards_sealed,
      now.shards_staged, now.bytes_uploaded, now.jobs_queued, now.jobs_running, now.jobs_ended,
      now.jobs_failed, now.bytes_fetched, now.rows_merged, now.rows_failed, AsciiJson(now.note),
      now.elapsed.count());
}

ProgressDisplay::ProgressDisplay(const Progress& progress, Clock& clock,
                                 ProgressDisplayOptions options)
    : progress_(progress), clock_(clock), options_(options), start_(clock.Now()) {
  if (options_.mode != ProgressMode::kNone) {
    thread_ = std::jthread([this](const std::stop_token& stop) { Draw(stop); });
  }
}

ProgressDisplay::~ProgressDisplay() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  std::string frame;
  EraseBlock(frame);
  WriteToStderr(frame);
}

void ProgressDisplay::Note(std::string_view text) {
  const std::scoped_lock lock(mutex_);
  std::string frame;
  EraseBlock(frame);
  WriteToStderr(frame.append(text));
}

void ProgressDisplay::PrintNow() {
  if (options_.mode != ProgressMode::kNone) {
    Note(Line());
  }
}

void ProgressDisplay::Draw(const std::stop_token& stop) {
  const bool bar = options_.mode == ProgressMode::kBar;
  const milliseconds pause = bar ? kFrame : options_.interval;
  if (bar) {
    DrawFrame();
  }
  while (clock_.SleepUntil(clock_.Now() + pause, stop)) {
    if (bar) {
      DrawFrame();
    } else {
      PrintNow();
    }
  }
}

void ProgressDisplay::DrawFrame() {
  const std::scoped_lock lock(mutex_);
  const ProgressSnapshot now = Look();
  if (!now.packing_done) {
    times_.prepare = now.elapsed;
  }
  if (!Uploaded(now)) {
    times_.upload = now.elapsed;
  }
  // The cursor goes up and every line is written over, so that nothing flickers.
  std::string frame = lines_drawn_ == 0 ? "" : fmt::format("\x1b[{}A", lines_drawn_);
  const auto width = static_cast<size_t>(std::max(options_.terminal.width - 1, 20));
  const std::vector<std::string> lines = DrawBlock(now, times_, width, options_.steps);
  for (const std::string& line : lines) {
    frame += fmt::format("\r{}\x1b[K\n", line);
  }
  lines_drawn_ = lines.size();
  WriteToStderr(frame);
}

void ProgressDisplay::EraseBlock(std::string& frame) {
  if (lines_drawn_ > 0) {
    frame += fmt::format("\x1b[{}A\r\x1b[J", lines_drawn_);
    lines_drawn_ = 0;
  }
}

ProgressSnapshot ProgressDisplay::Look() const {
  const auto elapsed = std::chrono::duration_cast<milliseconds>(clock_.Now() - start_);
  return TakeSnapshot(progress_, elapsed);
}

std::string ProgressDisplay::Line() const {
  const ProgressSnapshot now = Look();
  const std::string line = options_.mode == ProgressMode::kJson
                               ? JsonProgressLine(now, clock_.WallNow())
                               : PlainProgressLine(now, clock_.WallNow());
  return line + '\n';
}

}  // namespace sluice
