// Answers as JSON lines in input order. The rows of a shard arrive shuffled, so they are first
// appended to a work file while their places are noted (16 bytes a row), and Seal() writes them
// again in order. Close() joins the shards and puts each row's id before its answer.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <mutex>
#include <optional>

#include "io/file/atomic_file.h"
#include "io/file/line_reader.h"
#include "io/sink/formats.h"
#include "io/sink/output_rows.h"
#include "io/sink/vector_text.h"

namespace sluice {
namespace {

constexpr size_t kLinesFlushBytes = size_t{1} << 20;

std::string PartPath(const std::string& folder, Ordinal first) {
  return fmt::format("{}/answers-{:012}.jsonl", folder, first);
}

void AppendFloats(std::string& out, std::span<const float> values) {
  char digits[32];
  out.push_back('[');
  for (const float value : values) {
    const auto end = std::to_chars(std::begin(digits), std::end(digits), value).ptr;
    out.append(digits, end).push_back(',');
  }
  if (out.back() == ',') {
    out.pop_back();
  }
  out.push_back(']');
}

}  // namespace

std::string VectorText(std::span<const float> vector) {
  std::string text = "{\"embedding\":";
  AppendFloats(text, vector);
  text.push_back('}');
  return text;
}

namespace {

std::string UnsortedPath(const std::string& path) { return path + ".unsorted"; }

std::string FailureText(std::string_view failure) {
  return fmt::format("{{\"error\":{}}}", failure);
}

// The rows of a part, or new ones for some of a part that was sealed before.
class JsonlShard final : public ShardSink {
 public:
  enum class Part { kNew, kSealed };

  JsonlShard(FileSystem& files, std::string path, std::unique_ptr<File> unsorted,
             OrdinalRange range, Part part)
      : files_(files),
        path_(std::move(path)),
        unsorted_(std::move(unsorted)),
        range_(range),
        part_(part),
        places_(range.count) {}

  Result<void> PutVector(Ordinal row, std::span<const float> vector) override {
    return Put(row, VectorText(vector));
  }

  Result<void> PutAnswer(Ordinal row, std::string_view answer) override { return Put(row, answer); }

  Result<void> PutFailure(Ordinal row, std::string_view failure) override {
    return Put(row, FailureText(failure));
  }

  Result<void> Seal() override {
    SLUICE_TRY(Flush());
    std::optional<LineReader> before;
    if (part_ == Part::kSealed) {
      SLUICE_ASSIGN(auto file, files_.Open(path_, OpenMode::kRead));
      before.emplace(MakeFileSource(std::move(file)));
    }
    SLUICE_ASSIGN(AtomicFile sorted, AtomicFile::Create(files_, path_));
    std::string pending;
    for (Ordinal row = range_.first; row < range_.end(); ++row) {
      SLUICE_TRY(AppendRow(row, before, pending));
      SLUICE_TRY(sorted.WriteWhenLarge(pending));
    }
    SLUICE_TRY(sorted.Write(pending));
    SLUICE_TRY(sorted.Commit());
    return files_.Remove(UnsortedPath(path_));
  }

 private:
  struct Place {
    uint64_t offset = 0;
    uint64_t size = 0;  // 0: the row was not put
  };

  Result<void> Put(Ordinal row, std::string_view text) {
    SLUICE_CHECK(range_.contains(row), "a row outside its shard");
    const std::scoped_lock lock(mutex_);
    places_[row - range_.first] = {.offset = written_ + pending_.size(), .size = text.size()};
    pending_.append(text);
    return pending_.size() < kLinesFlushBytes ? Result<void>{} : Flush();
  }

  Result<void> Flush() {
    SLUICE_TRY(unsorted_->WriteAt(written_, AsBytes(pending_)));
    written_ += pending_.size();
    pending_.clear();
    return {};
  }

  // What was put for the row, or what stood in its place before.
  Result<void> AppendRow(Ordinal row, std::optional<LineReader>& before, std::string& out) {
    std::optional<std::string_view> line;
    if (before.has_value()) {
      SLUICE_ASSIGN(line, before->Next());
      if (!line.has_value()) {
        return Fail(ErrorCode::kIo, fmt::format("'{}' ends before row {}", path_, row));
      }
    }
    if (const Place& place = places_[row - range_.first]; place.size > 0) {
      const size_t begin = out.size();
      out.resize(begin + place.size);
      SLUICE_TRY(ReadExactly(*unsorted_, place.offset,
                             std::as_writable_bytes(std::span(&out[begin], place.size))));
    } else {
      SLUICE_CHECK(line.has_value(), "a row was never put");
      out.append(*line);
    }
    out.push_back('\n');
    return {};
  }

  FileSystem& files_;
  std::string path_;
  std::unique_ptr<File> unsorted_;
  OrdinalRange range_;
  Part part_;
  std::mutex mutex_;
  std::vector<Place> places_;
  std::string pending_;
  uint64_t written_ = 0;
};

// The answers of all shards, one after the other.
class PartsReader {
 public:
  PartsReader(FileSystem& files, std::string folder) : files_(files), folder_(std::move(folder)) {}

  Result<std::string_view> Next(Ordinal row) {
    if (lines_ == nullptr) {
      SLUICE_TRY(OpenPart(row));
    }
    SLUICE_ASSIGN(std::optional<std::string_view> line, lines_->Next());
    if (!line.has_value()) {
      SLUICE_TRY(OpenPart(row));
      SLUICE_ASSIGN(line, lines_->Next());
    }
    if (!line.has_value()) {
      return Fail(ErrorCode::kIo, fmt::format("the answer of row {} is missing", row));
    }
    return *line;
  }

 private:
  Result<void> OpenPart(Ordinal row) {
    SLUICE_ASSIGN(auto file, files_.Open(PartPath(folder_, row), OpenMode::kRead));
    lines_ = std::make_unique<LineReader>(MakeFileSource(std::move(file)));
    return {};
  }

  FileSystem& files_;
  std::string folder_;
  std::unique_ptr<LineReader> lines_;
};

// The parts of a closed output again, row by row; rows that were left out are failures.
class PartsWriter {
 public:
  PartsWriter(FileSystem& files, std::string folder, const ReopenRequest& request)
      : files_(files), folder_(std::move(folder)), request_(request) {}

  // Puts failures for the rows before `row`, which the output does not have.
  Result<void> FillUpTo(Ordinal row) {
    const auto& failures = request_.closed.failures;
    while (next_ < row) {
      const auto found = std::ranges::lower_bound(failures, next_);
      SLUICE_CHECK(found != failures.end() && *found == next_, "a row is neither there nor failed");
      const auto index = static_cast<size_t>(found - failures.begin());
      SLUICE_TRY(Add(FailureText(request_.failure_texts[index])));
    }
    return {};
  }

  Result<void> Add(std::string_view answer) {
    const OrdinalRange shard = request_.shards[shard_];
    if (!part_.has_value()) {
      SLUICE_ASSIGN(AtomicFile part, AtomicFile::Create(files_, PartPath(folder_, shard.first)));
      part_.emplace(std::move(part));
    }
    pending_.append(answer).push_back('\n');
    if (++next_ < shard.end()) {
      return part_->WriteWhenLarge(pending_);
    }
    SLUICE_TRY(part_->Write(pending_));
    pending_.clear();
    SLUICE_TRY(part_->Commit());
    part_.reset();
    ++shard_;
    return {};
  }

 private:
  FileSystem& files_;
  std::string folder_;
  const ReopenRequest& request_;
  Ordinal next_ = 0;
  size_t shard_ = 0;
  std::optional<AtomicFile> part_;
  std::string pending_;
};

class JsonlSink final : public Sink {
 public:
  JsonlSink(FileSystem& files, SinkOptions options) : files_(files), options_(std::move(options)) {}

  Result<std::unique_ptr<ShardSink>> OpenShard(OrdinalRange range) override {
    return Open(range, JsonlShard::Part::kNew);
  }

  Result<std::unique_ptr<ShardSink>> OpenRows(OrdinalRange range) override {
    return Open(range, JsonlShard::Part::kSealed);
  }

  Result<void> Reopen(const ReopenRequest& request) override {
    SLUICE_ASSIGN(auto output, files_.Open(options_.output, OpenMode::kRead));
    LineReader lines(MakeFileSource(std::move(output)));
    PartsWriter parts(files_, options_.work_folder, request);
    const auto take = [&](Ordinal row, std::string_view ids_line) -> Result<void> {
      SLUICE_TRY(parts.FillUpTo(row));
      SLUICE_ASSIGN(const auto line, lines.Next());
      const std::string_view ids = ids_line.substr(0, ids_line.size() - 1);
      if (!line.has_value() || !line->starts_with(ids) || line->size() < ids.size() + 2 ||
          (*line)[ids.size()] != ',') {
        return Fail(ErrorCode::kUsage,
                    fmt::format("'{}' is not what this run wrote: line {} changed since",
                                options_.output, row + 1),
                    "put the file back that the run wrote");
      }
      return parts.Add(fmt::format("{{{}", line->substr(ids.size() + 1)));
    };
    SLUICE_TRY(ForEachOutputRow(files_, request.closed, take));
    return parts.FillUpTo(request.closed.row_count);
  }

  Result<std::vector<OutputFile>> Close(const CloseRequest& request) override {
    SLUICE_ASSIGN(AtomicFile output, AtomicFile::Create(files_, options_.output));
    PartsReader answers(files_, options_.work_folder);
    Ordinal next_answer = 0;
    std::string pending;
    const auto take = [&](Ordinal row, std::string_view ids_line) -> Result<void> {
      std::string_view answer;
      for (; next_answer <= row; ++next_answer) {
        SLUICE_ASSIGN(answer, answers.Next(next_answer));
      }
      pending.append(ids_line.substr(0, ids_line.size() - 1)).push_back(',');
      pending.append(answer.substr(1)).push_back('\n');
      return output.WriteWhenLarge(pending);
    };
    SLUICE_ASSIGN(const uint64_t rows, ForEachOutputRow(files_, request, take));
    SLUICE_TRY(output.Write(pending));
    const uint64_t bytes = output.size();
    SLUICE_TRY(output.Commit());
    return std::vector<OutputFile>{{.path = options_.output, .bytes = bytes, .rows = rows}};
  }

  Result<void> RemoveWorkFiles() override {
    SLUICE_ASSIGN(const auto names, files_.List(options_.work_folder));
    for (const std::string& name : names) {
      if (name.starts_with("answers-")) {
        SLUICE_TRY(files_.Remove(options_.work_folder + "/" + name));
      }
    }
    return {};
  }

 private:
  Result<std::unique_ptr<ShardSink>> Open(OrdinalRange range, JsonlShard::Part part) {
    std::string path = PartPath(options_.work_folder, range.first);
    SLUICE_ASSIGN(auto unsorted, files_.Open(UnsortedPath(path), OpenMode::kCreate));
    return std::make_unique<JsonlShard>(files_, std::move(path), std::move(unsorted), range, part);
  }

  FileSystem& files_;
  SinkOptions options_;
};

}  // namespace

std::unique_ptr<Sink> MakeJsonlSink(FileSystem& files, SinkOptions options) {
  return std::make_unique<JsonlSink>(files, std::move(options));
}

}  // namespace sluice
