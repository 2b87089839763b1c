// Vectors as one numpy array: float32, little endian, C order, shape (rows, dimension), and the ids
// of the rows beside it. Rows go straight to their place in a work file that already has room for
// the header, so nothing has to be moved at the end.
#include <bit>
#include <fmt/format.h>
#include <limits>

#include "io/file/atomic_file.h"
#include "io/sink/formats.h"
#include "io/sink/npy_header.h"
#include "io/sink/output_rows.h"
#include "io/sink/row_store.h"

namespace sluice {
namespace {

static_assert(std::endian::native == std::endian::little, "rows are written as they are in memory");

class NpyShard final : public ShardSink {
 public:
  NpyShard(FileSystem& files, std::unique_ptr<File> file, RowStoreOptions options)
      : file_(std::move(file)),
        failed_row_(options.dimension, std::numeric_limits<float>::quiet_NaN()),
        rows_(MakeRowStore(files, *file_, std::move(options))) {}

  Result<void> PutVector(Ordinal row, std::span<const float> vector) override {
    return rows_->Put(row, vector);
  }

  Result<void> PutAnswer(Ordinal, std::string_view) override {
    return Fail(ErrorCode::kUsage, "answers of generation cannot be written to .npy",
                "end the output's name with .jsonl");
  }

  Result<void> PutFailure(Ordinal row, std::string_view) override {
    return rows_->Put(row, failed_row_);
  }

  Result<void> Seal() override {
    SLUICE_TRY(rows_->Finish());
    return file_->Sync();
  }

 private:
  std::unique_ptr<File> file_;
  std::vector<float> failed_row_;
  std::unique_ptr<RowStore> rows_;
};

// Rows that go to their places one by one: they are few.
class NpyRows final : public ShardSink {
 public:
  NpyRows(std::unique_ptr<File> file, OrdinalRange range, int dimension)
      : file_(std::move(file)),
        range_(range),
        failed_row_(static_cast<size_t>(dimension), std::numeric_limits<float>::quiet_NaN()) {}

  Result<void> PutVector(Ordinal row, std::span<const float> vector) override {
    SLUICE_CHECK(range_.contains(row) && vector.size() == failed_row_.size(),
                 "a row outside its shard, or of the wrong length");
    return file_->WriteAt(kNpyHeaderBytes + row * vector.size_bytes(), std::as_bytes(vector));
  }

  Result<void> PutAnswer(Ordinal, std::string_view) override {
    return Fail(ErrorCode::kUsage, "answers of generation cannot be written to .npy",
                "end the output's name with .jsonl");
  }

  Result<void> PutFailure(Ordinal row, std::string_view) override {
    return PutVector(row, failed_row_);
  }

  Result<void> Seal() override { return file_->Sync(); }

 private:
  std::unique_ptr<File> file_;
  OrdinalRange range_;
  std::vector<float> failed_row_;
};

class NpySink final : public Sink {
 public:
  NpySink(FileSystem& files, SinkOptions options)
      : files_(files),
        options_(std::move(options)),
        work_path_(options_.work_folder + "/rows.npy.part") {}

  Result<std::unique_ptr<ShardSink>> OpenShard(OrdinalRange range) override {
    SLUICE_CHECK(options_.dimension > 0, "an array needs a dimension");
    SLUICE_ASSIGN(const bool has_rows, IsThere(files_, work_path_));
    SLUICE_ASSIGN(auto file,
                  files_.Open(work_path_, has_rows ? OpenMode::kReadWrite : OpenMode::kCreate));
    if (!has_rows) {
      // A sealed shard is durable only together with the name that its rows stand under.
      SLUICE_TRY(files_.SyncFolderOf(work_path_));
    }
    const RowStoreOptions rows{
        .range = range,
        .dimension = static_cast<size_t>(options_.dimension),
        .first_byte = kNpyHeaderBytes,
        .spool_path = fmt::format("{}/rows-{}.spool", options_.work_folder, range.first),
        .threads = options_.threads};
    return std::make_unique<NpyShard>(files_, std::move(file), rows);
  }

  Result<std::unique_ptr<ShardSink>> OpenRows(OrdinalRange range) override {
    SLUICE_ASSIGN(auto file, files_.Open(work_path_, OpenMode::kReadWrite));
    return std::make_unique<NpyRows>(std::move(file), range, options_.dimension);
  }

  Result<void> Reopen(const ReopenRequest& request) override {
    const CloseRequest& closed = request.closed;
    const uint64_t left_out = closed.skip_failures ? closed.failures.size() : 0;
    SLUICE_ASSIGN(auto output, files_.Open(options_.output, OpenMode::kRead));
    SLUICE_TRY(CheckOutput(*output, closed.row_count - left_out));
    const std::string new_path = work_path_ + ".new";
    SLUICE_ASSIGN(auto rows, files_.Open(new_path, OpenMode::kCreate));
    uint64_t place = kNpyHeaderBytes;
    if (left_out == 0) {
      SLUICE_TRY(CopyRows(*output, 0, closed.row_count, *rows, place));
    } else {
      SLUICE_TRY(CopyWithGaps(closed, *output, *rows));
    }
    SLUICE_TRY(rows->Sync());
    SLUICE_TRY(files_.Rename(new_path, work_path_));
    return files_.SyncFolderOf(work_path_);
  }

  Result<std::vector<OutputFile>> Close(const CloseRequest& request) override {
    SLUICE_ASSIGN(const OutputFile ids, WriteIds(request, IdsPathOf(options_.output)));
    SLUICE_ASSIGN(const bool has_rows, IsThere(files_, work_path_));
    const bool closed_before = !has_rows && files_.Exists(options_.output);
    if (!closed_before) {
      SLUICE_TRY(WriteArray(request, ids.rows));
    }
    const uint64_t bytes = kNpyHeaderBytes + ids.rows * row_bytes();
    return std::vector<OutputFile>{{.path = options_.output, .bytes = bytes, .rows = ids.rows},
                                   ids};
  }

  Result<void> RemoveWorkFiles() override { return files_.Remove(work_path_); }

 private:
  [[nodiscard]] uint64_t row_bytes() const {
    return static_cast<uint64_t>(options_.dimension) * sizeof(float);
  }

  Result<void> CheckOutput(File& output, uint64_t rows) {
    const std::string wanted = FormatNpyHeader(rows, options_.dimension);
    std::string header(wanted.size(), '\0');
    SLUICE_ASSIGN(const uint64_t size, output.Size());
    const bool right_size = size == kNpyHeaderBytes + rows * row_bytes();
    if (right_size) {
      SLUICE_TRY(ReadExactly(output, 0, std::as_writable_bytes(std::span(header))));
    }
    if (header != wanted) {
      return Fail(ErrorCode::kUsage,
                  fmt::format("'{}' is not what this run wrote: it changed since", options_.output),
                  "put the file back that the run wrote");
    }
    return {};
  }

  // Rows that were left out get their places back, as failed ones.
  Result<void> CopyWithGaps(const CloseRequest& closed, File& output, File& rows) {
    const std::vector<float> failed_row(static_cast<size_t>(options_.dimension),
                                        std::numeric_limits<float>::quiet_NaN());
    uint64_t place = kNpyHeaderBytes;
    Ordinal next = 0;
    for (size_t i = 0; i <= closed.failures.size(); ++i) {
      const bool is_last = i == closed.failures.size();
      const Ordinal end = (is_last ? closed.row_count : closed.failures[i]) - i;
      SLUICE_TRY(CopyRows(output, next, end, rows, place));
      next = end;
      if (!is_last) {
        SLUICE_TRY(rows.WriteAt(place, std::as_bytes(std::span(failed_row))));
        place += row_bytes();
      }
    }
    return {};
  }

  Result<OutputFile> WriteIds(const CloseRequest& request, const std::string& path) {
    SLUICE_ASSIGN(AtomicFile file, AtomicFile::Create(files_, path));
    std::string pending;
    SLUICE_ASSIGN(
        const uint64_t rows,
        ForEachOutputRow(files_, request, [&](Ordinal, std::string_view line) -> Result<void> {
          pending.append(line).push_back('\n');
          return file.WriteWhenLarge(pending);
        }));
    SLUICE_TRY(file.Write(pending));
    const uint64_t bytes = file.size();
    SLUICE_TRY(file.Commit());
    return OutputFile{.path = path, .bytes = bytes, .rows = rows};
  }

  Result<void> WriteArray(const CloseRequest& request, uint64_t rows) {
    if (!request.skip_failures || request.failures.empty()) {
      return Finish(work_path_, rows);
    }
    const std::string kept_path = options_.work_folder + "/kept.npy.part";
    SLUICE_TRY(CopyGoodRows(request, kept_path));
    return Finish(kept_path, rows);
  }

  Result<void> CopyGoodRows(const CloseRequest& request, const std::string& kept_path) {
    SLUICE_ASSIGN(auto all, files_.Open(work_path_, OpenMode::kRead));
    SLUICE_ASSIGN(auto kept, files_.Open(kept_path, OpenMode::kCreate));
    uint64_t place = kNpyHeaderBytes;
    Ordinal first = 0;
    for (size_t i = 0; i <= request.failures.size(); ++i) {
      const Ordinal end = i < request.failures.size() ? request.failures[i] : request.row_count;
      SLUICE_TRY(CopyRows(*all, first, end, *kept, place));
      first = end + 1;
    }
    return {};
  }

  Result<void> CopyRows(File& from, Ordinal first, Ordinal end, File& to, uint64_t& place) {
    std::vector<std::byte> buffer(size_t{1} << 20);
    uint64_t offset = kNpyHeaderBytes + first * row_bytes();
    const uint64_t stop = kNpyHeaderBytes + end * row_bytes();
    while (offset < stop) {
      const auto wanted = std::span(buffer).first(std::min<uint64_t>(buffer.size(), stop - offset));
      SLUICE_TRY(ReadExactly(from, offset, wanted));
      SLUICE_TRY(to.WriteAt(place, wanted));
      offset += wanted.size();
      place += wanted.size();
    }
    return {};
  }

  Result<void> Finish(const std::string& path, uint64_t rows) {
    SLUICE_ASSIGN(auto file, files_.Open(path, OpenMode::kReadWrite));
    SLUICE_TRY(file->WriteAt(0, AsBytes(FormatNpyHeader(rows, options_.dimension))));
    const uint64_t size = kNpyHeaderBytes + rows * row_bytes();
    SLUICE_TRY(file->Truncate(size));
    return PublishFile(files_, *file, path, options_.output, size);
  }

  FileSystem& files_;
  SinkOptions options_;
  std::string work_path_;
};

}  // namespace

std::unique_ptr<Sink> MakeNpySink(FileSystem& files, SinkOptions options) {
  return std::make_unique<NpySink>(files, std::move(options));
}

}  // namespace sluice
