#include "tools/emulator/byte_range.h"

#include <algorithm>
#include <fmt/format.h>

#include "api/http/decimal.h"

namespace sluice {

namespace {

std::optional<ByteRange> WantedRange(Service& service, const Exchange& exchange, uint64_t size) {
  const auto header = exchange.Header("range");
  if (!header.has_value() || service.faults.Happens(Fault::kRangeIgnored)) {
    return std::nullopt;
  }
  std::optional<ByteRange> range = ParseRange(*header, size);
  if (range.has_value() && range->first < range->last &&
      service.faults.Happens(Fault::kRangeWrong)) {
    ++range->first;
  }
  return range;
}

}  // namespace

std::optional<ByteRange> ParseRange(std::string_view header, uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  const size_t dash = header.find('-');
  if (!header.starts_with(kUnit) || dash == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view first_text = header.substr(kUnit.size(), dash - kUnit.size());
  const std::string_view last_text = header.substr(dash + 1);
  const auto first = ParseDecimal<uint64_t>(first_text);
  const auto last =
      last_text.empty() ? std::optional(UINT64_MAX) : ParseDecimal<uint64_t>(last_text);
  const uint64_t end = std::max<uint64_t>(size, 1) - 1;
  if (first_text.empty() && !last_text.empty() && last.has_value()) {
    return ByteRange{.first = size - std::min(size, *last), .last = end};
  }
  if (!first.has_value() || !last.has_value() || *last < *first) {
    return std::nullopt;
  }
  return ByteRange{.first = *first, .last = std::min(*last, end)};
}

void SendBytes(Service& service, Exchange& exchange, HttpHeaders headers, File& bytes,
               uint64_t size) {
  const std::optional<ByteRange> range = WantedRange(service, exchange, size);
  headers.insert(headers.end(), {{"Accept-Ranges", "bytes"}, {"Server", "sluice"}});
  if (range.has_value() && range->first >= size) {
    headers.emplace_back("Content-Range", fmt::format("bytes */{}", size));
    exchange.Respond(416, headers, "");
    return;
  }
  uint64_t offset = range.has_value() ? range->first : 0;
  const uint64_t end = range.has_value() ? range->last + 1 : size;
  if (range.has_value()) {
    headers.emplace_back("Content-Range", fmt::format("bytes {}-{}/{}", offset, range->last, size));
  }
  if (service.faults.Happens(Fault::kCutDownload)) {
    exchange.CutAnswerAfter((end - offset) / 2);
  }
  exchange.RespondStream(
      range.has_value() ? 206 : 200, headers, end - offset,
      [&](std::span<std::byte> buffer) -> Result<size_t> {
        const size_t wanted = static_cast<size_t>(std::min<uint64_t>(buffer.size(), end - offset));
        SLUICE_ASSIGN(const size_t count, bytes.ReadAt(offset, buffer.first(wanted)));
        offset += count;
        return count;
      });
}

}  // namespace sluice
