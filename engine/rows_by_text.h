// RowsByText: which rows asked about a text, for answers that come back without their key. Equal
// texts get equal answers, so that any row that asked about one may take it; each row is given
// once. One thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

#include "api/protocol/line_protocol.h"
#include "io/base/error.h"
#include "io/file/file_system.h"
#include "io/record/ordinal.h"

namespace sluice {

class RowsByText {
 public:
  // `requests`: the file of the request lines, which is read when the first answer asks.
  RowsByText(FileSystem& files, const LineProtocol& protocol, std::string requests)
      : files_(files), protocol_(protocol), requests_(std::move(requests)) {}

  // The next row that asked about the text (Reply::text_checksum); nothing when no further one did.
  [[nodiscard]] Result<std::optional<Ordinal>> Take(uint64_t text_checksum);

 private:
  [[nodiscard]] Result<void> ReadRequests();

  FileSystem& files_;
  const LineProtocol& protocol_;
  const std::string requests_;
  bool is_read_ = false;
  std::unordered_map<uint64_t, std::deque<Ordinal>> rows_;  // by the checksum of the text
};

}  // namespace sluice
