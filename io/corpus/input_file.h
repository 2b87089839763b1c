// InputFile: one file of the corpus while it is read, front to back, decompressed on the way.
//
// A BOM at the very start is dropped. When the file ends, it must still be what it was when the
// corpus was listed: a time stamp alone is no change. Every Error names the file. One thread at a
// time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "io/base/error.h"
#include "io/codec/byte_source.h"
#include "io/corpus/corpus.h"

namespace sluice {

class InputFile {
 public:
  // Begins at `offset` of the decompressed bytes. Adds what it takes from disk to `bytes_read`.
  // `stream` is read for standard input, and must be there for it. `hashes`: for content().
  // `known`: what an earlier reading of standard input began with; another beginning is kInput.
  // `files`, `file` and `bytes_read` must outlive the InputFile.
  [[nodiscard]] static Result<std::unique_ptr<InputFile>> Open(
      FileSystem& files, const CorpusFile& file, uint64_t offset, std::atomic<uint64_t>& bytes_read,
      std::unique_ptr<ByteSource> stream, bool hashes = false,
      const std::optional<ContentRead>& known = std::nullopt);
  ~InputFile();

  // Fills `buffer`; fewer bytes only at the end of the file.
  [[nodiscard]] Result<size_t> Fill(std::span<std::byte> buffer);
  // Puts bytes back in front of the rest.
  void Unread(std::span<const std::byte> bytes);
  // Where in the decompressed file the next byte of Fill() stands.
  [[nodiscard]] uint64_t offset() const { return offset_; }
  // What was taken from disk so far. Only when it hashes.
  [[nodiscard]] ContentRead content(uint32_t file) const;

 private:
  class Pushback;
  class Counter;
  class SameBeginning;

  InputFile(FileSystem& files, const CorpusFile& file);
  Result<std::unique_ptr<ByteSource>> OpenRaw(uint64_t offset, InputCompression& compression,
                                              std::unique_ptr<ByteSource> stream);
  Result<void> Skip(uint64_t count);
  Result<void> DropByteOrderMark();
  Result<void> RequireUnchanged() const;

  FileSystem& files_;
  const CorpusFile& file_;
  std::unique_ptr<Pushback> source_;
  Counter* counter_ = nullptr;  // inside source_
  uint64_t raw_begin_ = 0;      // where in the file on disk reading began
  uint64_t offset_ = 0;
};

}  // namespace sluice
