// Corpus: the ordered source of documents, cut into blocks of about 1 MiB.
//
// A corpus is any mix of JSONL files (plain, .gz, .zst), standard input ("-"), globs and folders of
// text files; with a FileSystem that knows addresses (gs://...), also of what lies there. The
// serial part done here only finds where units end; all checking of their content happens later and
// in parallel (engine/prepare). A block never shares a unit with another block.
//
// Lines: only LF ends a line; the last line counts without LF; a BOM is dropped at the start of a
// file and nowhere else; blank lines are left in place (they count as lines, they are no units).
// A line longer than `line_bytes_max` is never held in memory: it is copied to the spool folder and
// reported in Block::oversize. A file that changes while it is read is an error at its end.
// One thread at a time.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/aligned_buffer.h"
#include "io/base/error.h"
#include "io/codec/byte_source.h"
#include "io/corpus/content_read.h"
#include "io/file/file_system.h"

namespace sluice {

// One input file, after folders and globs were spread out. Index in the list = CorpusPlace::file.
enum class InputFormat { kJsonLines, kText };
enum class InputCompression { kNone, kGzip, kZstd };
struct CorpusFile {
  std::string path = {};  // what is opened; "-" is standard input
  // What the user sees, and the id of a text document: as given, or the path below the folder.
  std::string name = {};
  InputFormat format = InputFormat::kJsonLines;
  // As the name tells. A file without such a name is still looked at: its first bytes decide.
  InputCompression compression = InputCompression::kNone;
  uint64_t size = 0;  // on disk; 0 for standard input
  int64_t mtime_ns = 0;
  int64_t ctime_ns = 0;
  uint64_t inode = 0;  // 0: the file was not looked at, and is not compared with itself later

  [[nodiscard]] bool is_standard_input() const { return path == "-"; }
  // gs://bucket/object, which a FileSystem may know: an address, and no path from a working folder.
  [[nodiscard]] bool is_address() const { return path.starts_with("gs://"); }
};

// A place in the corpus. `line` counts from 1; `offset` counts bytes of the decompressed file from
// 0 and is 64-bit always.
struct CorpusPlace {
  uint32_t file = 0;
  uint64_t line = 1;
  uint64_t offset = 0;

  friend auto operator<=>(const CorpusPlace&, const CorpusPlace&) = default;
};

// A unit that was refused before it could be held: its raw bytes are in `spool_path`, durably, up
// to a bound, so that no bomb fills the disk.
struct OversizeUnit {
  static constexpr uint64_t kSpoolBytesMax = uint64_t{256} << 20;
  CorpusPlace place;
  uint64_t size = 0;
  std::string spool_path = {};  // empty when there is no spool folder
  std::string checksum = {};    // io/base/checksum.h, of the bytes in the spool
};

// One text document inside Block::bytes.
struct TextUnit {
  uint32_t file = 0;
  size_t begin = 0;
  size_t size = 0;
  uint64_t offset = 0;  // of its first byte in its file: not 0 behind a BOM
};

struct Block {
  // Bytes behind Block::bytes that may be read (not meaningful): simdjson's padding.
  static constexpr size_t kPadding = 64;

  InputFormat format = InputFormat::kJsonLines;
  AlignedBuffer buffer;
  std::string_view bytes;              // in `buffer`; whole lines, or the texts back to back
  CorpusPlace begin;                   // of bytes[0]; kJsonLines only
  std::vector<TextUnit> texts;         // kText only
  std::vector<OversizeUnit> oversize;  // stand behind all other units of the block
  CorpusPlace after;                   // where reading goes on behind this block
  // With CorpusOptions::notes_content: what was read so far of each file that it is made from.
  std::vector<ContentRead> content;
};

// Lines, those that are blank or too long too, or texts.
[[nodiscard]] uint64_t CountUnits(const Block& block);

struct CorpusOptions {
  std::vector<std::string> inputs = {};  // files, folders, globs, "-"
  // For folders, as fnmatch(3): a pattern without '/' is held against the base name, one with '/'
  // against the path below the folder, where '*' crosses folders. One of `globs` must match (when
  // there are any) and none of `excludes`, which keeps whole folders out too.
  std::vector<std::string> globs = {};
  std::vector<std::string> excludes = {};
  // Paths that are not read where a folder of `inputs` holds them: what the run itself writes.
  std::vector<std::string> own_paths = {};
  enum class Format { kAuto, kJsonLines, kText } format = Format::kAuto;
  size_t block_bytes = size_t{1} << 20;
  size_t line_bytes_max = size_t{16} << 20;
  // Made when the first oversize unit is met. A unit's file is named after its place, so that
  // reading the same place again writes the same file. Empty: such units are measured, and kept
  // nowhere.
  std::string spool_folder = {};
  bool notes_content = false;  // fills Block::content
  std::stop_token stop = {};   // ends a wait for standard input
  // What was noted of standard input by an earlier reading, which is to go on from its middle: the
  // same bytes must come again before that.
  std::optional<ContentRead> known_input = {};
};

// Spreads folders and globs out, in order; folders recursively, sorted bytewise by relative path,
// hidden names, folders of runs (*.sluice), `own_paths`, links to folders and what is no regular
// file left out. A glob is what names no existing path. Errors: kInput naming an input that is not
// there, is no regular file or folder, matches nothing, or has a path that is not UTF-8.
[[nodiscard]] Result<std::vector<CorpusFile>> ListCorpusFiles(FileSystem& files,
                                                              const CorpusOptions& options);

// As the name of a file tells.
[[nodiscard]] InputCompression CompressionByName(std::string_view name);

class Corpus {
 public:
  virtual ~Corpus() = default;
  // Fills `block`, reusing its memory. False at the end of the corpus, and then `block` is
  // untouched. Errors: kIo (read), kInput (a compressed file is cut or corrupt, a file cannot be
  // opened or is not what it was when it was listed), naming the file.
  [[nodiscard]] virtual Result<bool> Next(Block& block) = 0;
  // Bytes taken from disk so far (compressed size for compressed files): for progress, and the only
  // call that other threads may make.
  [[nodiscard]] virtual uint64_t bytes_read() const = 0;
};

// Reads `list` (from ListCorpusFiles), beginning at `from` (the `after` of a block of an earlier
// reading of the same list). Standard input is read from its start again, and must begin as
// CorpusOptions::known_input says: kInput otherwise.
[[nodiscard]] Result<std::unique_ptr<Corpus>> OpenCorpus(FileSystem& files,
                                                         std::vector<CorpusFile> list,
                                                         const CorpusOptions& options,
                                                         CorpusPlace from = {});

// The same of one stream of JSON lines, called `name` in messages: answers while they arrive.
[[nodiscard]] std::unique_ptr<Corpus> OpenLineStream(FileSystem& files,
                                                     std::unique_ptr<ByteSource> stream,
                                                     std::string name,
                                                     const CorpusOptions& options);

}  // namespace sluice
