#include "io/corpus/corpus.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fmt/format.h>
#include <utility>

#include "io/base/checksum.h"
#include "io/base/text.h"
#include "io/corpus/block_cuts.h"
#include "io/corpus/input_file.h"
#include "io/corpus/line_feeds.h"

namespace sluice {
namespace {

// Bounds a block of empty files.
constexpr size_t kTextsMax = 4096;

size_t RoundUp(size_t size) {
  constexpr size_t kPage = AlignedBuffer::kAlignment;
  return (size + kPage - 1) / kPage * kPage;
}

class FileCorpus final : public Corpus {
 public:
  FileCorpus(FileSystem& files, std::vector<CorpusFile> list, const CorpusOptions& options,
             CorpusPlace from, std::unique_ptr<ByteSource> stream)
      : files_(files),
        list_(std::move(list)),
        line_bytes_max_(std::max<size_t>(options.line_bytes_max, 1)),
        // A read that is no larger than the longest line allowed can make only the first line of a
        // block too long, so that no line has to be measured but that one.
        read_bytes_(std::clamp<size_t>(options.block_bytes, 1, line_bytes_max_)),
        long_bytes_(read_bytes_ / 32),
        cuts_(read_bytes_),
        spool_folder_(options.spool_folder),
        notes_content_(options.notes_content),
        known_input_(options.known_input),
        stop_(options.stop),
        place_(from),
        stream_(std::move(stream)) {
    for (size_t i = 0; i < std::min<size_t>(from.file, list_.size()); ++i) {
      bytes_before_ += list_[i].size;
    }
  }

  Result<bool> Next(Block& block) override {
    while (place_.file < list_.size()) {
      if (file().format == InputFormat::kText) {
        SLUICE_TRY(NextTexts(block));
        return true;
      }
      SLUICE_TRY(OpenInput());
      SLUICE_ASSIGN(const bool has_lines, NextLines(block));
      if (has_lines) {
        return true;
      }
      NextFile();
    }
    return false;
  }

  [[nodiscard]] uint64_t bytes_read() const override {
    return bytes_read_.load(std::memory_order_relaxed);
  }

 private:
  [[nodiscard]] const CorpusFile& file() const { return list_[place_.file]; }

  Result<void> OpenInput() {
    if (input_ == nullptr) {
      if (stream_ == nullptr && file().is_standard_input()) {
        stream_ = MakeStandardInputSource(stop_);
      }
      const uint64_t block_begin = place_.offset - place_.offset % read_bytes_;
      SLUICE_ASSIGN(input_, InputFile::Open(files_, file(), block_begin, bytes_read_,
                                            std::move(stream_), notes_content_, known_input_));
      cuts_ = BlockCuts(read_bytes_);
      SLUICE_TRY(GoOnAtPlace());
    }
    return {};
  }

  // Over what an earlier reading has handed out of the block, since it counts for its cuts.
  Result<void> GoOnAtPlace() {
    while (input_->offset() < place_.offset) {
      const uint64_t from = input_->offset();
      ReserveWork(UsualBytes());
      const auto room = work_.span().first(
          static_cast<size_t>(std::min<uint64_t>(place_.offset - from, read_bytes_)));
      SLUICE_ASSIGN(const size_t count, input_->Fill(room));
      cuts_.Note(from, AsText(room.first(count)));
      if (count == 0) {
        break;  // it is shorter now, which is told at its end
      }
    }
    place_.offset = input_->offset();
    return {};
  }

  void NextFile() {
    input_.reset();
    carry_.clear();
    bytes_before_ += file().size;
    place_ = {.file = place_.file + 1};
  }

  // Before input_ is closed.
  void NoteContent(Block& block) const {
    if (notes_content_) {
      block.content.push_back(input_->content(place_.file));
    }
  }

  // Memory that one giant line asked for is given back when the buffer comes round again.
  void ReserveWork(size_t size) {
    if (work_.size() > 2 * size) {
      work_ = AlignedBuffer();
    }
    work_.Reserve(size);
  }

  // Of memory for any block whose lines are no longer than others.
  [[nodiscard]] size_t UsualBytes() const {
    return RoundUp(read_bytes_ + long_bytes_) + 2 * AlignedBuffer::kAlignment;
  }

  // The whole lines up to the next multiple of read_bytes_ in the file, so that where blocks end
  // depends on nothing but the file: a reading that is resumed in the middle of a block cuts as the
  // first one did. A line that is cut there goes to the front of the next block, or, when much of
  // it came before, into one of its own: no block is much longer than the others unless a line is.
  // False at the end of the file.
  //
  // Every byte stands where it stands in its page of the file, with the line that the read before
  // has cut in front of it: the kernel copies page by page, slowly where the two do not agree.
  Result<bool> NextLines(Block& block) {
    while (true) {
      const size_t lead = RoundUp(carry_.size()) + input_->offset() % AlignedBuffer::kAlignment;
      const uint64_t from = input_->offset();
      const bool is_long = carry_.size() > long_bytes_;
      const size_t left = UpToMultiple(from, read_bytes_);
      const size_t wanted = is_long ? std::clamp<size_t>(long_bytes_, 1, left) : left;
      ReserveWork(std::max(lead + wanted, UsualBytes()) + Block::kPadding);
      const std::span<std::byte> room = work_.span().subspan(lead, wanted);
      SLUICE_ASSIGN(const size_t count, input_->Fill(room));
      const std::string_view fresh = AsText(room.first(count));
      const uint64_t line_feeds = cuts_.Note(from, fresh);
      const bool is_last = count < wanted;
      if (is_last && count == 0 && carry_.empty()) {
        return false;
      }
      const size_t first_end = fresh.find('\n');
      if (carry_.size() + std::min(first_end, count) > line_bytes_max_) {
        SLUICE_TRY(SpoolLine(block, fresh));
        return true;
      }
      if (is_long && first_end < count) {
        FinishFront(block, room.first(count), {.bytes = first_end + 1, .lines = 1});
        return true;
      }
      if (const Front front = FrontOfMany(fresh, from); front.bytes > 0) {
        FinishFront(block, room.first(count), front);
        return true;
      }
      const size_t cut = is_last ? count : fresh.rfind('\n') + 1;
      if (cut > 0 || is_last) {
        FinishLines(block, room.first(cut), line_feeds, is_last);
        carry_.assign(fresh.substr(cut));
        return true;
      }
      carry_.append(fresh);
    }
  }

  static size_t UpToMultiple(uint64_t offset, size_t of) {
    return of - static_cast<size_t>(offset % of);
  }

  // The lines of `text`, which begins at `offset`, up to a cut inside it; none when it has none.
  struct Front {
    size_t bytes = 0;
    uint64_t lines = 0;
  };
  [[nodiscard]] Front FrontOfMany(std::string_view text, uint64_t offset) const {
    const uint64_t end = offset + text.size();
    for (uint64_t cut = cuts_.NextAfter(offset); cut < end; cut = cuts_.NextAfter(cut)) {
      const std::string_view front = text.substr(0, static_cast<size_t>(cut - offset));
      if (const size_t bytes = front.rfind('\n') + 1; bytes > 0) {
        return {.bytes = bytes, .lines = CountLineFeeds(front.substr(0, bytes))};
      }
    }
    return {};
  }

  // The rest of what was read is read again.
  void FinishFront(Block& block, std::span<std::byte> fresh, const Front& front) {
    const std::span<std::byte> rest = fresh.subspan(front.bytes);
    FinishLines(block, fresh.first(front.bytes), front.lines, false);
    input_->Unread(rest);
    carry_.clear();
  }

  // `line_feeds` are those of `fresh`, and there are none in carry_.
  void FinishLines(Block& block, std::span<std::byte> fresh, uint64_t line_feeds, bool is_last) {
    std::byte* begin = fresh.data() - carry_.size();
    std::memcpy(begin, carry_.data(), carry_.size());
    const std::string_view lines = AsText({begin, carry_.size() + fresh.size()});
    Clear(block, InputFormat::kJsonLines);
    block.begin = place_;
    block.bytes = lines;
    std::swap(block.buffer, work_);
    place_.line += line_feeds;
    place_.offset += lines.size();
    NoteContent(block);
    if (is_last) {
      NextFile();
    }
    block.after = place_;
  }

  // The line that begins in carry_ and goes on in `fresh` and perhaps far behind it.
  Result<void> SpoolLine(Block& block, std::string_view fresh) {
    SLUICE_ASSIGN(Spool spool, OpenSpool());
    SLUICE_TRY(spool.Append(carry_));
    size_t end = fresh.find('\n');
    while (end == std::string_view::npos && !fresh.empty()) {
      SLUICE_TRY(spool.Append(fresh));
      const uint64_t from = input_->offset();
      const std::span<std::byte> room = work_.span().first(UpToMultiple(from, read_bytes_));
      SLUICE_ASSIGN(const size_t count, input_->Fill(room));
      fresh = AsText(room.first(count));
      cuts_.Note(from, fresh);
      end = fresh.find('\n');
    }
    carry_.clear();
    const bool has_end = end != std::string_view::npos;
    if (has_end) {
      SLUICE_TRY(spool.Append(fresh.substr(0, end)));
      input_->Unread(AsBytes(fresh.substr(end + 1)));
    }
    SLUICE_TRY(Keep(spool));
    Clear(block, InputFormat::kJsonLines);
    block.begin = place_;
    place_.line += 1;
    place_.offset += spool.unit.size + (has_end ? 1 : 0);
    NoteContent(block);
    block.oversize.push_back(std::move(spool).Finish());
    block.after = place_;
    return {};
  }

  // Whole files back to back: those that begin before the next multiple of read_bytes_ of the whole
  // list, but a larger one alone. As with lines, where blocks end depends on nothing but the corpus
  // (when packed files do not unfold to more than a block holds).
  Result<void> NextTexts(Block& block) {
    Clear(block, InputFormat::kText);
    block.begin = place_;
    size_t used = 0;
    const auto group = [this] {
      return std::pair(bytes_before_ / read_bytes_, place_.file / kTextsMax);
    };
    const auto ours = group();
    while (place_.file < list_.size() && file().format == InputFormat::kText && group() == ours) {
      SLUICE_TRY(LoadDocument());
      if (document_.size() > line_bytes_max_) {
        SLUICE_TRY(SpoolDocument(block));
        break;
      }
      const bool is_large = document_.size() > read_bytes_;
      if (block.texts.empty()) {
        ReserveWork(std::max(2 * read_bytes_, document_.size()) + Block::kPadding);
      } else if (is_large || used + document_.size() > 2 * read_bytes_) {
        break;
      }
      std::memcpy(work_.data() + used, document_.data(), document_.size());
      block.texts.push_back(
          {.file = place_.file, .begin = used, .size = document_.size(), .offset = place_.offset});
      used += document_.size();
      NoteContent(block);
      NextFile();
      if (is_large) {
        break;
      }
    }
    block.bytes = AsText(work_.span().first(used));
    std::swap(block.buffer, work_);
    block.after = place_;
    return {};
  }

  // Makes document_ the text at place_, or the first bytes of it when it is too long. It is there
  // already when the block before had no room for it; then input_ is still open.
  Result<void> LoadDocument() {
    if (input_ != nullptr) {
      return {};
    }
    SLUICE_TRY(OpenInput());
    document_.clear();
    bool is_whole = false;
    while (!is_whole && document_.size() <= line_bytes_max_) {
      const size_t used = document_.size();
      document_.resize(used + std::min(read_bytes_, line_bytes_max_ + 1 - used));
      const auto room = std::as_writable_bytes(std::span(document_)).subspan(used);
      SLUICE_ASSIGN(const size_t count, input_->Fill(room));
      is_whole = count < room.size();
      document_.resize(used + count);
    }
    return {};
  }

  Result<void> SpoolDocument(Block& block) {
    SLUICE_ASSIGN(Spool spool, OpenSpool());
    while (!document_.empty()) {
      SLUICE_TRY(spool.Append(document_));
      document_.resize(read_bytes_);
      SLUICE_ASSIGN(const size_t count, input_->Fill(std::as_writable_bytes(std::span(document_))));
      document_.resize(count);
    }
    SLUICE_TRY(Keep(spool));
    block.oversize.push_back(std::move(spool).Finish());
    NoteContent(block);
    NextFile();
    return {};
  }

  struct Spool {
    std::unique_ptr<File> file;  // null without a spool folder
    OversizeUnit unit;
    Checksum checksum;

    Result<void> Append(std::string_view text) {
      const uint64_t room =
          OversizeUnit::kSpoolBytesMax - std::min(unit.size, OversizeUnit::kSpoolBytesMax);
      const auto kept = AsBytes(text.substr(0, static_cast<size_t>(room)));
      if (file != nullptr) {
        SLUICE_TRY(file->Write(kept));
      }
      checksum.Add(kept);
      unit.size += text.size();
      return {};
    }

    OversizeUnit Finish() && {
      unit.checksum = checksum.Hex();
      return std::move(unit);
    }
  };

  // For the unit at place_.
  Result<Spool> OpenSpool() {
    Spool spool{.file = nullptr, .unit = {.place = place_}, .checksum = {}};
    if (!spool_folder_.empty()) {
      SLUICE_TRY(files_.MakeFolders(spool_folder_));
      spool.unit.spool_path =
          fmt::format("{}/{:06}-{}.bin", spool_folder_, place_.file, place_.offset);
      SLUICE_ASSIGN(spool.file, files_.Open(spool.unit.spool_path, OpenMode::kCreate));
    }
    return spool;
  }

  // Who notes where reading goes on behind the unit relies on its bytes.
  Result<void> Keep(Spool& spool) {
    if (spool.file == nullptr) {
      return {};
    }
    SLUICE_TRY(spool.file->Sync());
    return files_.SyncFolderOf(spool.unit.spool_path);
  }

  static void Clear(Block& block, InputFormat format) {
    block.format = format;
    block.bytes = {};
    block.begin = {};
    block.texts.clear();
    block.oversize.clear();
    block.content.clear();
  }

  FileSystem& files_;
  std::vector<CorpusFile> list_;
  size_t line_bytes_max_;
  size_t read_bytes_;
  size_t long_bytes_;  // what a line may bring along from the block before
  BlockCuts cuts_;     // of the file at place_
  std::string spool_folder_;
  bool notes_content_;
  std::optional<ContentRead> known_input_;
  const std::stop_token stop_;
  CorpusPlace place_;                   // of the first byte that was not handed out yet
  uint64_t bytes_before_ = 0;           // in the files before place_, as they were listed
  std::unique_ptr<ByteSource> stream_;  // what stands for standard input; null: descriptor 0
  std::unique_ptr<InputFile> input_;
  std::string carry_;     // lines: bytes from place_ on, without a line end
  std::string document_;  // texts
  AlignedBuffer work_;    // becomes the buffer of the next block
  std::atomic<uint64_t> bytes_read_ = 0;
};

}  // namespace

uint64_t CountUnits(const Block& block) {
  const uint64_t units = block.oversize.size() + block.texts.size();
  if (block.format == InputFormat::kText) {
    return units;
  }
  const bool has_tail = !block.bytes.empty() && !block.bytes.ends_with('\n');
  return units + CountLineFeeds(block.bytes) + (has_tail ? 1 : 0);
}

Result<std::unique_ptr<Corpus>> OpenCorpus(FileSystem& files, std::vector<CorpusFile> list,
                                           const CorpusOptions& options, CorpusPlace from) {
  const bool is_middle =
      from.file < list.size() && list[from.file].is_standard_input() && from.offset > 0;
  if (is_middle && !options.known_input.has_value()) {
    return Fail(
        ErrorCode::kInput,
        "nobody noted what standard input was when this run began: it cannot go on from its "
        "middle",
        "put the corpus into a file, or start again in a new run directory");
  }
  return std::make_unique<FileCorpus>(files, std::move(list), options, from, nullptr);
}

std::unique_ptr<Corpus> OpenLineStream(FileSystem& files, std::unique_ptr<ByteSource> stream,
                                       std::string name, const CorpusOptions& options) {
  std::vector<CorpusFile> list = {{.path = "-", .name = std::move(name)}};
  return std::make_unique<FileCorpus>(files, std::move(list), options, CorpusPlace{},
                                      std::move(stream));
}

}  // namespace sluice
