#include "api/batches/request_lines.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <utility>

#include "api/batches/job_wide_members.h"
#include "api/files/sha256.h"
#include "api/http/json_fields.h"
#include "io/base/text.h"
#include "io/codec/byte_source.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

// Members keep their order: what people wrote stays recognizable.
using OrderedJson = nlohmann::ordered_json;

constexpr size_t kBlockBytes = size_t{1} << 20;

struct LineSettings {
  Task task = Task::kEmbed;
  OrderedJson members = OrderedJson::object();
  std::string name = {};
};

std::unexpected<Error> LineFailure(const LineSettings& settings, uint64_t number,
                                   std::string_view what) {
  const std::string_view divider = settings.name.empty() ? "" : ": ";
  return Fail(ErrorCode::kInput,
              fmt::format("{}{}line {} {}", settings.name, divider, number, what));
}

// The key of a line: what it says, as a string, else its number.
std::string KeyOf(const OrderedJson& line, uint64_t number) {
  const OrderedJson* key = FindMember(line, "key");
  if (key == nullptr || key->is_null()) {
    return std::to_string(number);
  }
  return key->is_string() ? key->get<std::string>() : key->dump();
}

// Appends the request line that `line` becomes, with its LF; nothing for a blank one.
Result<void> AppendRequestLine(const LineSettings& settings, std::string_view line, uint64_t number,
                               std::string& out) {
  if (IsBlankLine(line)) {
    return {};
  }
  OrderedJson given = ParseOrderedJson(line);
  if (!given.is_object()) {
    return LineFailure(settings, number, "is not a JSON object");
  }
  if (!given.contains("request")) {
    given = OrderedJson{{"request", std::move(given)}};
  }
  const char* content = settings.task == Task::kEmbed ? "content" : "contents";
  OrderedJson& request = given["request"];
  if (FindMember(request, content) == nullptr) {
    return LineFailure(settings, number, fmt::format("is no request: it has no '{}'", content));
  }
  AddMissing(settings.members, request);
  OrderedJson keyed = {{"key", KeyOf(given, number)}};
  given.erase("key");
  keyed.update(given);
  out += keyed.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  out += '\n';
  return {};
}

class RequestLineSource final : public ByteSource {
 public:
  RequestLineSource(std::unique_ptr<ByteSource> input, std::shared_ptr<const LineSettings> settings)
      : input_(std::move(input)), settings_(std::move(settings)) {}

  Result<size_t> Read(std::span<std::byte> buffer) override {
    while (given_ == made_.size() && !ended_) {
      made_.clear();
      given_ = 0;
      SLUICE_TRY(MakeMore());
    }
    const size_t count = std::min(buffer.size(), made_.size() - given_);
    std::ranges::copy(std::as_bytes(std::span(made_).subspan(given_, count)), buffer.begin());
    given_ += count;
    return count;
  }

 private:
  // Reads one block, and makes what lines end in it.
  Result<void> MakeMore() {
    const size_t searched = pending_.size();
    pending_.resize(searched + kBlockBytes);
    SLUICE_ASSIGN(const size_t count,
                  input_->Read(std::as_writable_bytes(std::span(pending_).subspan(searched))));
    pending_.resize(searched + count);
    ended_ = count == 0;
    size_t begin = 0;
    for (size_t end = pending_.find('\n', searched); end != std::string::npos;
         end = pending_.find('\n', begin)) {
      SLUICE_TRY(MakeLine(begin, end));
      begin = end + 1;
    }
    if (ended_) {
      return MakeLine(begin, pending_.size());
    }
    pending_.erase(0, begin);
    if (pending_.size() > kRequestLineBytesMax) {
      return LineFailure(*settings_, line_count_ + 1,
                         fmt::format("is longer than {} bytes", kRequestLineBytesMax));
    }
    return {};
  }

  Result<void> MakeLine(size_t begin, size_t end) {
    return AppendRequestLine(*settings_, std::string_view(pending_).substr(begin, end - begin),
                             ++line_count_, made_);
  }

  const std::unique_ptr<ByteSource> input_;
  const std::shared_ptr<const LineSettings> settings_;
  std::string pending_;  // read, and not yet a whole line
  std::string made_;     // lines, of which `given_` bytes were taken
  size_t given_ = 0;
  uint64_t line_count_ = 0;
  bool ended_ = false;
};

Result<uint64_t> CountBytes(ByteSource& source, const std::stop_token& stop) {
  std::array<std::byte, size_t{64} << 10> buffer;
  uint64_t total = 0;
  while (!stop.stop_requested()) {
    SLUICE_ASSIGN(const size_t count, source.Read(buffer));
    if (count == 0) {
      return total;
    }
    total += count;
  }
  return Fail(ErrorCode::kUnfinished, "stopped while reading the requests");
}

}  // namespace

Result<StageSource> MakeRequestLines(const StageSource& source, const RequestLinesOptions& options,
                                     const std::stop_token& stop) {
  SLUICE_ASSIGN(OrderedJson members,
                JobWideMembers<OrderedJson>(options.task, options.generation_config,
                                            options.system_instruction));
  const auto settings = std::make_shared<const LineSettings>(
      LineSettings{.task = options.task, .members = std::move(members), .name = options.name});
  StageSource lines;
  lines.open = [open = source.open, settings]() -> Result<std::unique_ptr<ByteSource>> {
    SLUICE_ASSIGN(auto input, open());
    return std::make_unique<RequestLineSource>(std::move(input), settings);
  };
  SLUICE_ASSIGN(const auto reading, lines.open());
  SLUICE_ASSIGN(lines.size, CountBytes(*reading, stop));
  if (!source.identity.empty()) {
    lines.identity = fmt::format("lines:{}:{}:{}", static_cast<int>(settings->task),
                                 Sha256Hex(settings->members.dump()), source.identity);
  }
  return lines;
}

}  // namespace sluice
