#include "engine/rows_by_text.h"

#include "io/file/line_reader.h"
#include "io/shard/shard_file.h"

namespace sluice {

Result<std::optional<Ordinal>> RowsByText::Take(uint64_t text_checksum) {
  if (!is_read_) {
    SLUICE_TRY(ReadRequests());
    is_read_ = true;
  }
  const auto found = rows_.find(text_checksum);
  if (found == rows_.end() || found->second.empty()) {
    return std::nullopt;
  }
  const Ordinal row = found->second.front();
  found->second.pop_front();
  return row;
}

Result<void> RowsByText::ReadRequests() {
  SLUICE_ASSIGN(auto source, OpenShard(files_, requests_));
  LineReader lines(std::move(source));
  const size_t key = protocol_.key_offset();
  while (true) {
    SLUICE_ASSIGN(const auto line, lines.Next());
    if (!line.has_value()) {
      return {};
    }
    const auto checksum = protocol_.TextChecksum(*line);
    if (!checksum.has_value() || line->size() < key + kKeyDigits) {
      continue;
    }
    if (const auto row = ParseKey(line->substr(key, kKeyDigits))) {
      rows_[*checksum].push_back(*row);
    }
  }
}

}  // namespace sluice
