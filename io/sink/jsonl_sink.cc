// Answers as JSON lines in input order. The rows of a shard arrive shuffled, so they are first
// appended to a work file while their places are noted (16 bytes a row), and Seal() writes them
// again in order. Close() joins the shards and puts each row's id before its answer.
#include <charconv>
#include <fmt/format.h>
#include <mutex>

#include "io/file/atomic_file.h"
#include "io/file/line_reader.h"
#include "io/sink/formats.h"

namespace sluice {
namespace {

constexpr size_t kFlushBytes = size_t{1} << 20;

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

class JsonlShard final : public ShardSink {
 public:
  JsonlShard(FileSystem& files, std::string path, std::unique_ptr<File> file, OrdinalRange range)
      : files_(files),
        path_(std::move(path)),
        file_(std::move(file)),
        range_(range),
        places_(range.count) {}

  Result<void> PutVector(Ordinal row, std::span<const float> vector) override {
    std::string text = "{\"embedding\":";
    AppendFloats(text, vector);
    text.push_back('}');
    return Put(row, text);
  }

  Result<void> PutAnswer(Ordinal row, std::string_view answer) override { return Put(row, answer); }

  Result<void> PutFailure(Ordinal row, std::string_view failure) override {
    return Put(row, fmt::format("{{\"error\":{}}}", failure));
  }

  Result<void> Seal() override {
    SLUICE_TRY(Flush());
    SLUICE_ASSIGN(AtomicFile sorted, AtomicFile::Create(files_, path_));
    std::string pending;
    for (const Place& place : places_) {
      SLUICE_CHECK(place.size > 0, "a row was never put");
      SLUICE_TRY(AppendRow(place, pending));
      if (pending.size() >= kFlushBytes) {
        SLUICE_TRY(sorted.Write(pending));
        pending.clear();
      }
    }
    SLUICE_TRY(sorted.Write(pending));
    SLUICE_TRY(sorted.Commit());
    return files_.Remove(UnsortedPath(path_));
  }

  static std::string UnsortedPath(const std::string& path) { return path + ".unsorted"; }

 private:
  struct Place {
    uint64_t offset = 0;
    uint64_t size = 0;
  };

  Result<void> Put(Ordinal row, std::string_view text) {
    SLUICE_CHECK(range_.contains(row), "a row outside its shard");
    const std::scoped_lock lock(mutex_);
    places_[row - range_.first] = {.offset = written_ + pending_.size(), .size = text.size()};
    pending_.append(text);
    return pending_.size() < kFlushBytes ? Result<void>{} : Flush();
  }

  Result<void> Flush() {
    SLUICE_TRY(file_->WriteAt(written_, AsBytes(pending_)));
    written_ += pending_.size();
    pending_.clear();
    return {};
  }

  Result<void> AppendRow(const Place& place, std::string& out) {
    const size_t begin = out.size();
    out.resize(begin + place.size);
    SLUICE_TRY(ReadExactly(*file_, place.offset,
                           std::as_writable_bytes(std::span(&out[begin], place.size))));
    out.push_back('\n');
    return {};
  }

  FileSystem& files_;
  std::string path_;
  std::unique_ptr<File> file_;
  OrdinalRange range_;
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

class JsonlSink final : public Sink {
 public:
  JsonlSink(FileSystem& files, SinkOptions options) : files_(files), options_(std::move(options)) {}

  Result<std::unique_ptr<ShardSink>> OpenShard(OrdinalRange range) override {
    std::string path = PartPath(options_.work_folder, range.first);
    SLUICE_TRY(files_.Open(JsonlShard::UnsortedPath(path), OpenMode::kCreate));
    SLUICE_ASSIGN(auto file, files_.Open(JsonlShard::UnsortedPath(path), OpenMode::kReadWrite));
    return std::make_unique<JsonlShard>(files_, std::move(path), std::move(file), range);
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
      if (pending.size() >= kFlushBytes) {
        SLUICE_TRY(output.Write(pending));
        pending.clear();
      }
      return {};
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
  FileSystem& files_;
  SinkOptions options_;
};

}  // namespace

std::unique_ptr<Sink> MakeJsonlSink(FileSystem& files, SinkOptions options) {
  return std::make_unique<JsonlSink>(files, std::move(options));
}

}  // namespace sluice
