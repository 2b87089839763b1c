#include "tools/emulator/faults.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <optional>

#include "tools/emulator/mix.h"

namespace sluice {

namespace {

using enum FaultArgument;

constexpr FaultInfo kFaults[] = {
    {Fault::kNoShuffle, "no-shuffle", kNone, "", "answers stand in the order of the requests"},
    {Fault::kDropLine, "drop-line", kLines, "1", "result lines are missing"},
    {Fault::kDuplicateLine, "duplicate-line", kLines, "1", "result lines are there twice"},
    {Fault::kNoKey, "no-key", kLines, "1", "result lines lack their key"},
    {Fault::kItemError, "item-error", kLines, "1", "results are errors with a code alone"},
    {Fault::kItemError13, "item-error-13", kLines, "0.5", "results are internal errors (code 13)"},
    {Fault::kCutLastLine, "cut-last-line", kTimes, "1.0",
     "the last line of the results is cut short"},
    {Fault::kCutDownload, "cut-download", kTimes, "1", "a download is reset half-way"},
    {Fault::kStuckPending, "stuck-pending", kTimes, "1.0", "a job stays pending"},
    {Fault::kStuckRunning, "stuck-running", kTimes, "1.0",
     "a job stops half-way through its requests until it is cancelled"},
    {Fault::kExpire, "expire", kTimes, "1.0", "a job expires instead of running"},
    {Fault::kExpirePartial, "expire-partial", kTimes, "1.0",
     "a job expires half-way through its requests, with the answers it has"},
    {Fault::kFailJob, "fail-job", kTimes, "1.0", "a job fails with rpc code 8"},
    {Fault::kCancelSucceeds, "cancel-succeeds", kTimes, "1.0",
     "a job cancelled before its start ends SUCCEEDED with unserved items"},
    {Fault::kCancelPartial, "cancel-partial", kTimes, "1.0",
     "a job cancelled after its start ends CANCELLED with the answers it has"},
    {Fault::kCreateLost, "create-lost", kWord, "503",
     "the job is created, its answer lost: 503, reset or timeout"},
    {Fault::kCreateLate, "create-late", kMilliseconds, "500",
     "the connection is reset, and the job created so many ms after, if its file is there then"},
    {Fault::kCreateSlow, "create-slow", kMilliseconds, "4000", "creating takes so many ms"},
    {Fault::kCreate429, "create-429", kWord, "plain",
     "creating is refused with 429; retryinfo: with a delay of 1 s"},
    {Fault::kQuotaPerDay, "quota-per-day", kTimes, "1.0", "creating is refused by a daily quota"},
    {Fault::kEnqueuedTokens, "enqueued-tokens", kTokens, "500000",
     "creating is refused when a model's active jobs would hold more tokens"},
    {Fault::kMimeRefused, "mime-refused", kWord, "application/jsonl",
     "this MIME type is refused when the upload is finalized"},
    {Fault::kChunkNoStatus, "chunk-no-status", kTimes, "1",
     "an upload answer lacks its status header, the bytes are kept"},
    {Fault::kChunkOffset409, "chunk-offset-409", kTimes, "1",
     "upload bytes are refused with 409 though their offset is right"},
    {Fault::kUploadGone, "upload-gone", kTimes, "1", "an upload is forgotten: 404"},
    {Fault::kCutUpload, "cut-upload", kBytes, "1000000",
     "an upload request is reset after so many bytes"},
    {Fault::kKeepWholeChunks, "keep-whole-chunks", kNone, "",
     "of a broken upload request only multiples of 8 MiB are kept"},
    {Fault::kCorruptUpload, "corrupt-upload", kTimes, "1",
     "one bit of an uploaded file is flipped"},
    {Fault::kErrorArray, "error-array", kTimes, "1.0", "errors come in a one-element array"},
    {Fault::kErrorHtml, "error-html", kTimes, "1.0", "errors come as a page of HTML"},
    {Fault::kErrorEmpty, "error-empty", kTimes, "1.0", "errors come without a body"},
    {Fault::kJobStatePrefix, "job-state-prefix", kNone, "", "states are spelled JOB_STATE_*"},
    {Fault::kInlineSingleLevel, "inline-single-level", kNone, "",
     "inlinedResponses is a plain array"},
    {Fault::kListEmptyPage, "list-empty-page", kTimes, "1",
     "a list of jobs begins with an empty page that has a token"},
    {Fault::kListLag, "list-lag", kMilliseconds, "2000",
     "a new job is listed only after so many ms"},
    {Fault::kListStaleStats, "list-stale-stats", kNone, "",
     "a list of jobs counts all requests as pending, even of ended jobs"},
    {Fault::kRangeIgnored, "range-ignored", kNone, "", "Range is answered with 200 and the whole"},
    {Fault::kRangeWrong, "range-wrong", kTimes, "1.0",
     "Range is answered with 206 and other bytes than asked for"},
    {Fault::kUploadEnded, "upload-ended", kTimes, "1", "an upload of an object has ended: 410"},
    {Fault::kUploadLost, "upload-lost", kTimes, "1", "an object is stored, the answer lost: 503"},
    {Fault::kKeepLess, "keep-less", kTimes, "1",
     "of an object's upload request fewer bytes are kept than were sent"},
    {Fault::kToken503, "token-503", kTimes, "1", "asking for an access token is refused with 503"},
    {Fault::kTokenRevoked, "token-revoked", kTimes, "1.0", "a sign-in is refused: invalid_grant"},
    {Fault::kTokenRefused, "token-refused", kTimes, "1", "an access token is refused: 401"},
    {Fault::kHttp503, "http-503", kTimes, "0.1", "any request is refused with 503"},
    {Fault::kStall, "stall", kTimes, "0.1", "any request is never answered"},
    {Fault::kPartlySucceeds, "partly-succeeds", kTimes, "1.0",
     "a job ends PARTIALLY_SUCCEEDED with the answers of half of its requests"},
    {Fault::kIgnoreDimension, "ignore-dimension", kTimes, "1.0",
     "a job at Vertex AI gives vectors of the model's own length, whatever was asked for"},
    {Fault::kNoOutputInfo, "no-output-info", kTimes, "1.0",
     "an answer about a job at Vertex AI does not say where its results are"},
    {Fault::kTableJobLost, "table-job-lost", kTimes, "1",
     "a job of BigQuery is done, its answer lost: 503"},
};
static_assert(std::size(kFaults) == kFaultCount);

const FaultInfo* FindInfo(std::string_view name) {
  const auto found = std::ranges::find(kFaults, name, &FaultInfo::name);
  return found == std::end(kFaults) ? nullptr : &*found;
}

std::optional<uint64_t> ParseWhole(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value)
                                                                  : std::nullopt;
}

// "0.25" or "25%".
std::optional<double> ParseShare(std::string_view text) {
  const bool percent = text.ends_with('%');
  if (percent) {
    text.remove_suffix(1);
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  value = percent ? value / 100 : value;
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && value >= 0 && value <= 1 ? std::optional(value) : std::nullopt;
}

bool IsAmount(FaultArgument argument) { return argument == kTimes || argument == kLines; }

}  // namespace

std::span<const FaultInfo> EmulatorFaults() { return kFaults; }

Result<std::unique_ptr<Faults>> Faults::Parse(const std::vector<std::string>& switches,
                                              uint64_t seed) {
  auto faults = std::make_unique<Faults>();
  faults->seed_ = seed;
  for (const std::string& text : switches) {
    SLUICE_TRY(faults->SwitchOn(text));
  }
  return faults;
}

Result<void> Faults::SwitchOn(std::string_view text) {
  const std::string_view before_at = text.substr(0, text.find('@'));
  const size_t equals = before_at.find('=');
  const FaultInfo* info = FindInfo(before_at.substr(0, equals));
  if (info == nullptr) {
    return Fail(ErrorCode::kUsage,
                fmt::format("there is no fault switch '{}'", before_at.substr(0, equals)),
                "'sluice emulate --help' lists them");
  }
  Switch& target = switches_[static_cast<size_t>(info->fault)];
  target.on = true;
  SLUICE_TRY(SetArgument(
      *info, equals == std::string_view::npos ? info->fallback : before_at.substr(equals + 1),
      target));
  if (before_at.size() < text.size()) {
    const auto times = ParseWhole(text.substr(before_at.size() + 1));
    if (!times.has_value()) {
      return Fail(ErrorCode::kUsage, fmt::format("fault '{}': @ needs a whole number", text));
    }
    target.times_max = *times;
  }
  return {};
}

Result<void> Faults::SetArgument(const FaultInfo& info, std::string_view argument, Switch& target) {
  target.word = argument;
  const auto whole = ParseWhole(argument);
  const auto share = ParseShare(argument);
  const bool understood = info.argument == kWord    ? !argument.empty()
                          : info.argument == kNone  ? argument.empty()
                          : IsAmount(info.argument) ? whole.has_value() || share.has_value()
                                                    : whole.has_value();
  if (!understood) {
    return Fail(ErrorCode::kUsage,
                fmt::format("fault '{}' cannot have the argument '{}'", info.name, argument));
  }
  if (info.argument == kTimes && whole.has_value()) {
    target.times_max = *whole;
  } else if (IsAmount(info.argument)) {
    target.share = whole.has_value() ? 0 : *share;
  }
  target.number = whole.value_or(0);
  return {};
}

bool Faults::Happens(Fault fault) {
  const std::scoped_lock lock(mutex_);
  Switch& entry = switches_[static_cast<size_t>(fault)];
  if (!entry.on || entry.happened >= entry.times_max) {
    return false;
  }
  const FaultArgument argument = kFaults[static_cast<size_t>(fault)].argument;
  const uint64_t stream = MixBits(seed_ + static_cast<uint64_t>(fault));
  if (argument == kTimes && ShareAt(stream, entry.asked++) >= entry.share) {
    return false;
  }
  ++entry.happened;
  return true;
}

bool Faults::HitsLine(Fault fault, uint64_t position) const {
  const Switch& entry = At(fault);
  return position < entry.number ||
         ShareAt(MixBits(seed_ + static_cast<uint64_t>(fault)), position) < entry.share;
}

uint64_t Faults::Number(Fault fault) const { return At(fault).number; }

std::string_view Faults::Word(Fault fault) const { return At(fault).word; }

}  // namespace sluice
