#include "engine/verify_corpus.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

#include "engine/prepare.h"
#include "engine/sealed_ids.h"
#include "engine/verify_lines.h"
#include "engine/verify_shards.h"
#include "io/corpus/content_read.h"
#include "io/corpus/corpus.h"
#include "io/json/base64.h"
#include "io/json/json_text.h"
#include "io/record/ordinal.h"

namespace sluice {
namespace {

// How far pack should have come, from what was read again.
struct Position {
  CorpusPlace place;
  Ordinal next = 0;
  uint64_t rejected = 0, blank = 0;
};

class CorpusCheck {
 public:
  CorpusCheck(const VerifyInput& input, Findings& findings)
      : input_(input),
        findings_(findings),
        preparer_(input.protocol, input.pinned.id_field),
        shards_(input, findings),
        ids_(CheckedLines::Open(input.files, input.directory.ids(), "ids.jsonl", findings)),
        rejects_(
            CheckedLines::Open(input.files, input.directory.rejects(), "rejects.jsonl", findings)),
        last_(input.manifest.position().next),
        is_at_end_(!input.is_packed() && last_ == 0) {
    for (const CorpusFile& file : input.pinned.files) {
      names_.push_back(JsonString(file.name));
    }
  }

  Result<CorpusCounts> Run() {
    SLUICE_ASSIGN(const bool is_readable, LookAtFiles());
    if (is_readable) {
      SLUICE_TRY(ReadAll());
    } else {
      CheckAlone();
    }
    if (!is_broken_) {
      Finish();
    }
    return counts_;
  }

 private:
  // Whether there is a corpus to read. Files are taken as they are now: their lines decide.
  Result<bool> LookAtFiles() {
    list_ = input_.pinned.files;
    for (CorpusFile& file : list_) {
      if (file.is_standard_input()) {
        findings_.AddNote("the corpus came from standard input: it cannot be read again");
        return false;
      }
      const auto stat = input_.files.Stat(file.path);
      if (!stat.has_value() || !stat->is_regular) {
        findings_.AddProblem(file.name,
                             stat.has_value() ? "is no file any more" : stat.error().message);
        is_broken_ = true;
        return false;
      }
      if (stat->size != file.size) {
        findings_.AddProblem(
            file.name,
            fmt::format("had {} bytes when the run began and has {} now", file.size, stat->size));
      }
      file.size = stat->size;
      file.mtime_ns = stat->mtime_ns;
      file.ctime_ns = stat->ctime_ns;
      file.inode = stat->inode;
    }
    return true;
  }

  Result<void> ReadAll() {
    CorpusOptions options;
    options.line_bytes_max = input_.pinned.line_bytes_max;
    SLUICE_ASSIGN(const auto corpus, OpenCorpus(input_.files, list_, options));
    Block block;
    PreparedBlock prepared;
    while (!is_at_end_) {
      if (input_.stop.stop_requested()) {
        return Fail(ErrorCode::kUnfinished, "stopped before all was looked at");
      }
      const Result<bool> more = corpus->Next(block);
      if (!more.has_value()) {
        findings_.AddProblem("corpus", more.error().message);
        is_broken_ = true;
        return {};
      }
      if (!*more) {
        break;
      }
      preparer_.Prepare(block, prepared);
      CheckUnits(block, prepared);
      CheckBlock(block, prepared);
    }
    return {};
  }

  // Every line, counted by its line feed, is in exactly one of the three.
  void CheckUnits(const Block& block, const PreparedBlock& prepared) {
    const uint64_t units = CountUnits(block);
    end_ = block.after;
    if (block.format == InputFormat::kText) {
      end_ = CorpusPlace{.file = block.after.file - 1};
    } else if (block.after.file != block.begin.file) {
      end_ = CorpusPlace{.file = block.begin.file,
                         .line = block.begin.line + units,
                         .offset = block.begin.offset + block.bytes.size()};
    }
    const uint64_t placed = prepared.records.size() + prepared.rejects.size() + prepared.blank;
    if (units != placed) {
      findings_.AddProblem(list_[block.begin.file].name,
                           fmt::format("of {} lines {} are accounted for", units, placed));
    }
  }

  void CheckBlock(const Block& block, PreparedBlock& prepared) {
    auto reject = prepared.rejects.cbegin();
    const uint64_t blank_before = progress_.blank;
    for (size_t i = 0; i < prepared.records.size() && !is_at_end_; ++i) {
      const PreparedRecord& record = prepared.records[i];
      for (; reject != prepared.rejects.end() && reject->place < record.place; ++reject) {
        CheckReject(*reject);
      }
      progress_.place = record.place;
      progress_.blank = blank_before + record.blank_before;
      CheckSealedHere();
      if (!is_at_end_) {
        CheckRecord(prepared, i);
      }
    }
    if (is_at_end_) {
      return;
    }
    for (; reject != prepared.rejects.end(); ++reject) {
      CheckReject(*reject);
    }
    progress_.blank = blank_before + prepared.blank;
    progress_.place = block.after;
  }

  // A shard ends before each record that the manifest says, and behind the last one that it says
  // nothing is known to be right.
  void CheckSealedHere() {
    const auto& shards = input_.manifest.shards();
    if (sealed_ < shards.size() && progress_.next == shards[sealed_].after.next) {
      CheckPosition(fmt::format("manifest.jsonl:{}", sealed_ + 1), shards[sealed_].after, true);
      ++sealed_;
    }
    is_at_end_ = !input_.is_packed() && progress_.next == last_;
  }

  void CheckPosition(const std::string& where, const PackPosition& said, bool with_place) {
    const bool is_same = said.next == progress_.next && said.rejected == progress_.rejected &&
                         said.blank == progress_.blank &&
                         (!with_place || said.place == progress_.place) &&
                         (ids_.given_up() || said.ids_bytes == ids_.bytes()) &&
                         (rejects_.given_up() || said.rejects_bytes == rejects_.bytes());
    if (!is_same) {
      findings_.AddProblem(
          where,
          fmt::format("is at row {} (file {}, line {}, byte {}; {} refused, {} blank; {} and "
                      "{} bytes), the corpus at row {} (file {}, line {}, byte {}; {} "
                      "refused, {} blank; {} and {} bytes)",
                      said.next, said.place.file, said.place.line, said.place.offset, said.rejected,
                      said.blank, said.ids_bytes, said.rejects_bytes, progress_.next,
                      progress_.place.file, progress_.place.line, progress_.place.offset,
                      progress_.rejected, progress_.blank, ids_.bytes(), rejects_.bytes()));
    }
  }

  void CheckRecord(PreparedBlock& prepared, size_t index) {
    const PreparedRecord& record = prepared.records[index];
    const size_t end = index + 1 < prepared.records.size() ? prepared.records[index + 1].line_begin
                                                           : prepared.lines.size();
    WriteKey(progress_.next, &prepared.lines[record.line_begin + input_.protocol.key_offset()]);
    const std::string_view line =
        std::string_view(prepared.lines).substr(record.line_begin, end - record.line_begin);
    shards_.Expect(progress_.next, line, record.text_bytes);
    ids_.Expect(IdsLine(record));
    ++progress_.next;
    ++counts_.accepted;
  }

  [[nodiscard]] std::string IdsLine(const PreparedRecord& record) const {
    const std::string& name = names_[record.place.file];
    std::string id(record.id);
    if (id.empty()) {
      id = list_[record.place.file].format == InputFormat::kText
               ? name
               : fmt::format("{}:{}\"", std::string_view(name).substr(0, name.size() - 1),
                             record.place.line);
    }
    return fmt::format(R"({{"row":{},"id":{},"file":{},"line":{},"offset":{}}})", progress_.next,
                       id, name, record.place.line, record.place.offset);
  }

  void CheckReject(const Reject& reject) {
    ++progress_.rejected;
    ++counts_.refused;
    std::string expected =
        fmt::format(R"({{"file":{},"line":{},"offset":{},"fault_offset":{},"bytes":{},"reason":{})",
                    names_[reject.place.file], reject.place.line, reject.place.offset,
                    reject.fault_offset, reject.size, JsonString(reject.reason));
    if (reject.raw.empty() && reject.size > 0) {
      CheckLongReject(reject, expected + ",\"raw_file\":");
    } else if (FindInvalidUtf8(reject.raw).has_value()) {
      rejects_.Expect(expected + ",\"raw_base64\":\"" + EncodeBase64(AsBytes(reject.raw)) + "\"}");
    } else {
      rejects_.Expect(expected + ",\"raw\":" + JsonString(reject.raw) + "}");
    }
  }

  // A line that was too long to be held: its bytes are in a file, named by its place, in the folder
  // that the run had when it was made.
  void CheckLongReject(const Reject& reject, const std::string& expected) {
    const std::string name = fmt::format("{:06}-{}.bin", reject.place.file, reject.place.offset);
    const auto line = rejects_.Next(expected);
    if (line.has_value() &&
        (!line->starts_with(expected) || !line->ends_with("/" + name + "\"}"))) {
      rejects_.Refuse(
          fmt::format("is {}, expected {}... and the file {}", Excerpt(*line), expected, name));
    }
    const std::string path = input_.directory.rejects_spool() + "/" + name;
    const uint64_t kept = std::min(reject.size, OversizeUnit::kSpoolBytesMax);
    const auto checksum = ChecksumOfPart(input_.files, path, 0, kept);
    const auto stat = input_.files.Stat(path);
    if (!checksum.has_value() || !stat.has_value() || stat->size != kept ||
        *checksum != reject.checksum) {
      findings_.AddProblem("rejects/" + name,
                           fmt::format("is not the refused line of {}:{}",
                                       list_[reject.place.file].name, reject.place.line));
    }
  }

  // Without the corpus: rows and their documents in order, and as many as the manifest says.
  void CheckAlone() {
    for (; progress_.next < last_; ++progress_.next) {
      shards_.ExpectKey(progress_.next);
      const std::string begin = fmt::format("{{\"row\":{},\"id\":", progress_.next);
      const auto line = ids_.Next(begin);
      if (line.has_value() && (!line->starts_with(begin) || !line->ends_with('}'))) {
        ids_.Refuse(fmt::format("is {}, expected {}", Excerpt(*line), Excerpt(begin)));
      }
    }
    const PackPosition position = input_.manifest.position();
    for (uint64_t i = 0; i < position.rejected; ++i) {
      const auto line = rejects_.Next("a refused line");
      if (line.has_value() && (!line->starts_with("{\"file\":") || !line->ends_with('}'))) {
        rejects_.Refuse("is no refused line: " + Excerpt(*line));
      }
    }
    progress_.rejected = position.rejected;
    progress_.blank = position.blank;
    progress_.place = position.place;
    counts_.accepted = position.next;
    counts_.refused = position.rejected;
    sealed_ = input_.manifest.shards().size();
    CheckPosition("manifest.jsonl", position, false);
  }

  void Finish() {
    shards_.Finish();
    CheckSealedIds();
    counts_.blank = progress_.blank;
    counts_.units = counts_.accepted + counts_.refused + counts_.blank;
    const auto& shards = input_.manifest.shards();
    if (!is_at_end_ && sealed_ < shards.size()) {
      const std::string where = fmt::format("manifest.jsonl:{}", shards.size());
      CheckPosition(where, shards.back().after, false);
      CheckEndPlace(where, shards.back().after.place);
    }
    if (!input_.is_packed()) {
      return;
    }
    CheckPosition("manifest.jsonl, its end", *input_.manifest.end(), false);
    if (!shards.empty() && shards.back().after.place != input_.manifest.end()->place) {
      findings_.AddProblem("manifest.jsonl", "its end and its last shard are at different places");
    }
    CheckEndPlace("manifest.jsonl, its end", input_.manifest.end()->place);
    ids_.ExpectEnd();
    rejects_.ExpectEnd();
  }

  // The lines were compared with the corpus already: here the manifest is what can be wrong.
  void CheckSealedIds() {
    const auto sealed = ExpectSealedIds(input_.files, input_.directory.ids(), input_.manifest);
    if (!sealed.has_value() && !ids_.given_up()) {
      findings_.AddProblem("manifest.jsonl", sealed.error().message);
    }
  }

  // The end may be said as the end of the last file that holds something, or as the start of what
  // follows it.
  void CheckEndPlace(const std::string& where, const CorpusPlace& said) {
    const bool is_behind = said.line == 1 && said.offset == 0 && said.file <= list_.size() &&
                           (!end_.has_value() || said.file > end_->file);
    if (end_.has_value() && !is_behind && said != *end_) {
      findings_.AddProblem(
          where,
          fmt::format("is at file {}, line {}, byte {} of the corpus, which "
                      "ends at file {}, line {}, byte {}",
                      said.file, said.line, said.offset, end_->file, end_->line, end_->offset));
    }
  }

  const VerifyInput& input_;
  Findings& findings_;
  Preparer preparer_;
  VerifyShards shards_;
  CheckedLines ids_, rejects_;
  Ordinal last_;  // rows in sealed shards
  std::vector<CorpusFile> list_;
  std::vector<std::string> names_;  // as JSON tokens
  Position progress_;
  std::optional<CorpusPlace> end_;  // of what was read
  CorpusCounts counts_;
  size_t sealed_ = 0;       // shards whose end was passed
  bool is_at_end_;          // of what is packed, not of the corpus
  bool is_broken_ = false;  // the corpus cannot be read
};

}  // namespace

Result<CorpusCounts> CheckCorpus(const VerifyInput& input, Findings& findings) {
  if (!input.is_packed() && input.manifest.shards().empty()) {
    return CorpusCounts{};  // pack may not even have made its files
  }
  return CorpusCheck(input, findings).Run();
}

}  // namespace sluice
