// RangeDownload: one body fetched across broken connections. One thread at a time.
//
// Whether the service honours ranges is not documented. A part is taken for the rest of what we
// have only when the answer is 206, begins where we stand and tells the same total (and ETag) as
// before; any other answer begins from zero.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "api/http/google_service.h"
#include "io/base/error.h"

namespace sluice {

// Whether a body may begin as packed bytes do.
enum class PackedBody { kRefused, kTaken };

class RangeDownload {
 public:
  // Service, writer and `restart` are kept as references: they must outlive this object.
  // `request` is the GET of the whole body; its answer_bytes_max bounds the whole, too. `restart`
  // is called before bytes come from zero again. `size`: what the whole is known to have; a body
  // that goes on behind it is wrong, and begins again.
  RangeDownload(const GoogleService& service, HttpRequest request, const BodyWriter& writer,
                const std::function<Result<void>()>& restart,
                PackedBody packed = PackedBody::kRefused, std::optional<uint64_t> size = {})
      : service_(service),
        request_(std::move(request)),
        writer_(writer),
        restart_(restart),
        packed_(packed),
        size_(size) {}

  // The byte count. Errors: those of the writer; kRefused when it is too large; kTransport or
  // kUnavailable when several tries in a row came no further; others as Batches.
  [[nodiscard]] Result<uint64_t> Run();

 private:
  Result<void> Attempt();
  Result<void> ReadHead(const HttpResponse& head);
  Result<void> BeginFromZero();
  Result<void> Write(std::span<const std::byte> bytes);
  Result<void> CheckBegin(std::span<const std::byte> bytes);

  const GoogleService& service_;
  const HttpRequest request_;
  const BodyWriter& writer_;
  const std::function<Result<void>()>& restart_;
  const PackedBody packed_;
  const std::optional<uint64_t> size_;
  uint64_t position_ = 0;
  std::optional<uint64_t> total_;
  std::string etag_;
  std::string begin_;  // the first bytes of the body, as far as they have come
};

}  // namespace sluice
