#include "io/corpus/input_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/format.h>
#include <optional>
#include <string_view>
#include <utility>

#include "io/base/checksum.h"
#include "io/base/text.h"
#include "io/codec/gzip.h"
#include "io/codec/zstd.h"

namespace sluice {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kGzipMagic = "\x1F\x8B";          // RFC 1952, 2.3.1
constexpr std::string_view kZstdMagic = "\x28\xB5\x2F\xFD";  // RFC 8878, 3.1.1
constexpr size_t kMagicBytesMax = 4;
constexpr size_t kSkipBytes = size_t{1} << 16;

// None of these can begin a JSON line or a text in UTF-8.
InputCompression CompressionByFront(std::string_view front) {
  if (front.starts_with(kGzipMagic)) {
    return InputCompression::kGzip;
  }
  return front.starts_with(kZstdMagic) ? InputCompression::kZstd : InputCompression::kNone;
}

Result<size_t> FillFrom(ByteSource& source, std::span<std::byte> buffer) {
  size_t used = 0;
  while (used < buffer.size()) {
    SLUICE_ASSIGN(const size_t count, source.Read(buffer.subspan(used)));
    if (count == 0) {
      break;
    }
    used += count;
  }
  return used;
}

// A file that cannot be opened has to be mended by the user: another try does not help.
Result<std::unique_ptr<File>> OpenForReading(FileSystem& files, const CorpusFile& file) {
  Result<std::unique_ptr<File>> opened = files.Open(file.path, OpenMode::kRead);
  if (!opened.has_value() && (!file.is_address() || opened.error().code == ErrorCode::kNotFound)) {
    opened.error().code = ErrorCode::kInput;
  }
  return opened;
}

std::unexpected<Error> Changed(const CorpusFile& file) {
  return Fail(ErrorCode::kInput, fmt::format("'{}' was changed while it was in use", file.name),
              "start again in a new run directory");
}

}  // namespace

class InputFile::Pushback final : public ByteSource {
 public:
  explicit Pushback(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}

  Result<size_t> Read(std::span<std::byte> buffer) override {
    if (used_ == held_.size()) {
      return source_->Read(buffer);
    }
    const size_t count = std::min(buffer.size(), held_.size() - used_);
    std::memcpy(buffer.data(), held_.data() + used_, count);
    used_ += count;
    return count;
  }

  void Unread(std::span<const std::byte> bytes) {
    held_.erase(held_.begin(), held_.begin() + static_cast<ptrdiff_t>(used_));
    held_.insert(held_.begin(), bytes.begin(), bytes.end());
    used_ = 0;
  }

 private:
  std::unique_ptr<ByteSource> source_;
  std::vector<std::byte> held_;
  size_t used_ = 0;  // of held_
};

class InputFile::Counter final : public ByteSource {
 public:
  Counter(std::unique_ptr<ByteSource> source, std::atomic<uint64_t>& total, bool hashes)
      : source_(std::move(source)), total_(total) {
    if (hashes) {
      checksum_.emplace();
    }
  }

  Result<size_t> Read(std::span<std::byte> buffer) override {
    SLUICE_ASSIGN(const size_t read, source_->Read(buffer));
    count_ += read;
    if (checksum_.has_value()) {
      checksum_->Add(buffer.first(read));
    }
    // Only shown to people, so no order with other memory is needed.
    total_.fetch_add(read, std::memory_order_relaxed);
    return read;
  }

  [[nodiscard]] uint64_t count() const { return count_; }
  [[nodiscard]] const std::optional<Checksum>& checksum() const { return checksum_; }

 private:
  std::unique_ptr<ByteSource> source_;
  std::atomic<uint64_t>& total_;
  uint64_t count_ = 0;
  std::optional<Checksum> checksum_;
};

// Passes standard input on when it begins as it did before. The difference is told before the last
// byte of the known beginning is given away.
class InputFile::SameBeginning final : public ByteSource {
 public:
  SameBeginning(std::unique_ptr<ByteSource> source, ContentRead known)
      : source_(std::move(source)), known_(std::move(known)) {}

  Result<size_t> Read(std::span<std::byte> buffer) override {
    SLUICE_ASSIGN(const size_t read, source_->Read(buffer));
    if (count_ < known_.to) {
      checksum_.Add(buffer.first(static_cast<size_t>(std::min(read, known_.to - count_))));
      count_ += read;
      const bool is_other = count_ >= known_.to && checksum_.Hex() != known_.checksum;
      if (is_other || read == 0) {
        return Fail(ErrorCode::kInput, "standard input is not what it was when this run began",
                    "give the same input again, or start over with --fresh");
      }
    }
    return read;
  }

 private:
  std::unique_ptr<ByteSource> source_;
  ContentRead known_;
  uint64_t count_ = 0;
  Checksum checksum_;
};

InputFile::InputFile(FileSystem& files, const CorpusFile& file) : files_(files), file_(file) {}

InputFile::~InputFile() = default;

Result<std::unique_ptr<InputFile>> InputFile::Open(FileSystem& files, const CorpusFile& file,
                                                   uint64_t offset,
                                                   std::atomic<uint64_t>& bytes_read,
                                                   std::unique_ptr<ByteSource> stream, bool hashes,
                                                   const std::optional<ContentRead>& known) {
  std::unique_ptr<InputFile> input(new InputFile(files, file));
  InputCompression compression = file.compression;
  SLUICE_ASSIGN(std::unique_ptr<ByteSource> raw,
                input->OpenRaw(offset, compression, std::move(stream)));
  if (known.has_value() && file.is_standard_input()) {
    raw = std::make_unique<SameBeginning>(std::move(raw), *known);
  }
  auto counter = std::make_unique<Counter>(std::move(raw), bytes_read, hashes);
  input->counter_ = counter.get();
  auto source = std::make_unique<Pushback>(std::move(counter));
  if (file.is_standard_input() && compression == InputCompression::kNone) {
    std::array<std::byte, kMagicBytesMax> front = {};
    SLUICE_ASSIGN(const size_t count, FillFrom(*source, front));
    compression = CompressionByFront(AsText(std::span(front).first(count)));
    source->Unread(std::span(front).first(count));
  }
  if (compression == InputCompression::kGzip) {
    source = std::make_unique<Pushback>(MakeGzipSource(std::move(source), file.name));
  } else if (compression == InputCompression::kZstd) {
    source = std::make_unique<Pushback>(MakeZstdSource(std::move(source), file.name));
  }
  input->source_ = std::move(source);
  input->offset_ = input->raw_begin_;
  SLUICE_TRY(offset == 0 ? input->DropByteOrderMark() : input->Skip(offset - input->offset_));
  return input;
}

// The bytes as they are on disk: from `offset` when they are the document itself, else from the
// start, because a compressed file can only be read from there.
Result<std::unique_ptr<ByteSource>> InputFile::OpenRaw(uint64_t offset,
                                                       InputCompression& compression,
                                                       std::unique_ptr<ByteSource> stream) {
  if (file_.is_standard_input()) {
    return stream;
  }
  SLUICE_ASSIGN(std::unique_ptr<File> opened, OpenForReading(files_, file_));
  if (compression == InputCompression::kNone) {
    std::array<std::byte, kMagicBytesMax> front = {};
    size_t count = 0;
    for (size_t more = 1; more > 0 && count < front.size(); count += more) {
      SLUICE_ASSIGN(more, opened->ReadAt(count, std::span(front).subspan(count)));
    }
    compression = CompressionByFront(AsText(std::span(front).first(count)));
  }
  if (compression == InputCompression::kNone) {
    raw_begin_ = offset;
  }
  return MakeFileSource(std::move(opened), raw_begin_);
}

Result<void> InputFile::Skip(uint64_t count) {
  std::vector<std::byte> scratch(static_cast<size_t>(std::min<uint64_t>(count, kSkipBytes)));
  while (count > 0) {
    const auto wanted = static_cast<size_t>(std::min<uint64_t>(count, scratch.size()));
    SLUICE_ASSIGN(const size_t skipped, Fill(std::span(scratch).first(wanted)));
    if (skipped < wanted) {
      return Changed(file_);
    }
    count -= skipped;
  }
  return {};
}

Result<void> InputFile::DropByteOrderMark() {
  std::array<std::byte, kByteOrderMark.size()> front = {};
  SLUICE_ASSIGN(const size_t count, Fill(front));
  const auto read = std::span(front).first(count);
  if (AsText(read) != kByteOrderMark) {
    Unread(read);
  }
  return {};
}

Result<size_t> InputFile::Fill(std::span<std::byte> buffer) {
  SLUICE_ASSIGN(const size_t count, FillFrom(*source_, buffer));
  offset_ += count;
  if (count < buffer.size()) {
    SLUICE_TRY(RequireUnchanged());
  }
  return count;
}

void InputFile::Unread(std::span<const std::byte> bytes) {
  source_->Unread(bytes);
  offset_ -= bytes.size();
}

ContentRead InputFile::content(uint32_t file) const {
  return {.file = file,
          .from = raw_begin_,
          .to = raw_begin_ + counter_->count(),
          .checksum = counter_->checksum().value().Hex()};
}

// Another size is a change. Another time or another file of that name may be a change: then, if it
// is known what was read, the file is read once more and must still say the same.
Result<void> InputFile::RequireUnchanged() const {
  if (file_.is_standard_input()) {
    return {};
  }
  const uint64_t end = raw_begin_ + counter_->count();
  const Result<FileStat> now = files_.Stat(file_.path);
  if (end != file_.size || !now.has_value() || now->size != file_.size) {
    return Changed(file_);
  }
  const bool is_untouched = now->mtime_ns == file_.mtime_ns && now->ctime_ns == file_.ctime_ns &&
                            now->inode == file_.inode;
  if (file_.inode == 0 || is_untouched) {
    return {};
  }
  if (!counter_->checksum().has_value()) {
    return Changed(file_);
  }
  SLUICE_ASSIGN(const std::string checksum, ChecksumOfPart(files_, file_.path, raw_begin_, end));
  return checksum == counter_->checksum()->Hex() ? Result<void>{} : Changed(file_);
}

}  // namespace sluice
