// Prepare: one block of documents checked and written again as request lines. Pure work on memory:
// no files, no order; many blocks at once, one thread a block.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/protocol/line_protocol.h"
#include "io/base/resource_pool.h"
#include "io/corpus/corpus.h"
#include "io/json/record_scanner.h"

namespace sluice {

// One accepted document. Its request line ends where the next record's begins.
struct PreparedRecord {
  size_t line_begin = 0;    // in PreparedBlock::lines
  uint64_t text_bytes = 0;  // counted as tokens
  CorpusPlace place;
  uint64_t blank_before = 0;  // blank lines of the block that stand before it
  std::string_view id;        // a JSON token in the block, or empty: file and line are the id
};

// One refused unit. `raw` views the block; an oversize unit is in `spool_path` instead.
struct Reject {
  CorpusPlace place;
  uint64_t fault_offset = 0;  // in bytes from the start of the file, as `place.offset`
  std::string reason;
  std::string_view raw;
  std::string spool_path;
  uint64_t size = 0;
  std::string checksum = {};  // of an oversize unit
};

struct PreparedBlock {
  std::string lines;  // request lines, their keys still to be written
  std::vector<PreparedRecord> records;
  std::vector<Reject> rejects;  // in order of place
  uint64_t blank = 0;

  void Clear();
};

class Preparer {
 public:
  // `id_field` empty: "id". `protocol` must outlive the Preparer.
  Preparer(const LineProtocol& protocol, std::string id_field);

  // Fills `out` from `block`; the views in `out` live as long as the block's bytes.
  void Prepare(const Block& block, PreparedBlock& out);

 private:
  struct Scratch {
    explicit Scratch(std::vector<std::string> fields) : scanner(std::move(fields)) {}
    RecordScanner scanner;
    std::string text_token;
    std::vector<std::string_view> text_tokens;
  };

  void PrepareLines(const Block& block, Scratch& scratch, PreparedBlock& out) const;
  void PrepareLine(const ScannedLine& scanned, const CorpusPlace& place, PreparedBlock& out) const;
  void PrepareTexts(const Block& block, Scratch& scratch, PreparedBlock& out) const;

  const LineProtocol& protocol_;
  std::vector<std::string> fields_;  // those of the protocol, then the id
  ResourcePool<Scratch> scratch_;
};

}  // namespace sluice
