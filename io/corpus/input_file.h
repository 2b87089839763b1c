// InputFile: one file of the corpus while it is read, front to back, decompressed on the way.
//
// A BOM at the very start is dropped. When the file ends, the bytes taken from disk must be as many
// as were there when the corpus was listed. Every Error names the file. One thread at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "io/base/error.h"
#include "io/codec/byte_source.h"
#include "io/corpus/corpus.h"

namespace sluice {

class InputFile {
 public:
  // Begins at `offset` of the decompressed bytes. Adds what it takes from disk to `bytes_read`.
  // `stream` is read for standard input; null: descriptor 0. `file` and `bytes_read` must outlive
  // the InputFile.
  [[nodiscard]] static Result<std::unique_ptr<InputFile>> Open(FileSystem& files,
                                                               const CorpusFile& file,
                                                               uint64_t offset,
                                                               std::atomic<uint64_t>& bytes_read,
                                                               std::unique_ptr<ByteSource> stream);
  ~InputFile();

  // Fills `buffer`; fewer bytes only at the end of the file.
  [[nodiscard]] Result<size_t> Fill(std::span<std::byte> buffer);
  // Puts bytes back in front of the rest.
  void Unread(std::span<const std::byte> bytes);
  // Where in the decompressed file the next byte of Fill() stands.
  [[nodiscard]] uint64_t offset() const { return offset_; }

 private:
  class Pushback;
  class Counter;

  explicit InputFile(const CorpusFile& file);
  Result<std::unique_ptr<ByteSource>> OpenRaw(FileSystem& files, uint64_t offset,
                                              InputCompression& compression,
                                              std::unique_ptr<ByteSource> stream);
  Result<void> Skip(uint64_t count);
  Result<void> DropByteOrderMark();
  Result<void> RequireSameSize() const;

  const CorpusFile& file_;
  std::unique_ptr<Pushback> source_;
  Counter* counter_ = nullptr;  // inside source_
  uint64_t raw_begin_ = 0;      // where in the file on disk reading began
  uint64_t offset_ = 0;
};

}  // namespace sluice
