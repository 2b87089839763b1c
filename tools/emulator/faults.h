// Faults: the switches that make the local service misbehave as the real one has been seen to, or
// as a network does. Every fault is asked about at one place of the service. Thread-safe; what
// happens is decided by the seed and by how often a fault was asked about, never by the clock.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/base/error.h"

namespace sluice {

enum class Fault {
  kNoShuffle,
  kDropLine,
  kDuplicateLine,
  kNoKey,
  kItemError,
  kItemError13,
  kCutLastLine,
  kCutDownload,
  kStuckPending,
  kStuckRunning,
  kExpire,
  kExpirePartial,
  kFailJob,
  kCancelSucceeds,
  kCancelPartial,
  kCreateLost,
  kCreateLate,
  kCreateSlow,
  kCreate429,
  kQuotaPerDay,
  kEnqueuedTokens,
  kMimeRefused,
  kChunkNoStatus,
  kChunkOffset409,
  kUploadGone,
  kCutUpload,
  kKeepWholeChunks,
  kCorruptUpload,
  kErrorArray,
  kErrorHtml,
  kErrorEmpty,
  kJobStatePrefix,
  kInlineSingleLevel,
  kListEmptyPage,
  kListLag,
  kListStaleStats,
  kRangeIgnored,
  kRangeWrong,
  kUploadEnded,
  kUploadLost,
  kKeepLess,
  kToken503,
  kTokenRevoked,
  kTokenRefused,
  kHttp503,
  kStall,
  kPartlySucceeds,
  kIgnoreDimension,
  kNoOutputInfo,
  kTableJobLost,
};
inline constexpr size_t kFaultCount = static_cast<size_t>(Fault::kTableJobLost) + 1;

// What the argument of a fault says.
enum class FaultArgument {
  kNone,
  kTimes,  // a share ("0.2", "20%") of the occasions, or a whole number: the first so many
  kLines,  // a share of a job's lines, or a whole number of them
  kBytes,
  kMilliseconds,
  kTokens,
  kWord,
};

// One switch, written `name`, `name=ARG`, `name@N` or `name=ARG@N`; @N: the first N occasions only
// (for faults of lines: in the first N jobs only).
struct FaultInfo {
  Fault fault;
  std::string_view name;
  FaultArgument argument = FaultArgument::kNone;
  std::string_view fallback;  // the argument when none is given
  std::string_view effect;
};

// All switches, for help texts and documentation.
[[nodiscard]] std::span<const FaultInfo> EmulatorFaults();

class Faults {
 public:
  // kUsage for an unknown switch or a wrong argument.
  [[nodiscard]] static Result<std::unique_ptr<Faults>> Parse(
      const std::vector<std::string>& switches, uint64_t seed);

  // An occasion for `fault` has come: does it happen? Counts the occasion.
  [[nodiscard]] bool Happens(Fault fault);
  // For faults of lines that Happen() in this job: whether the line at `position` of the answers,
  // counted from 0, is hit.
  [[nodiscard]] bool HitsLine(Fault fault, uint64_t position) const;

  [[nodiscard]] uint64_t Number(Fault fault) const;  // bytes, milliseconds or tokens
  [[nodiscard]] std::string_view Word(Fault fault) const;

 private:
  struct Switch {
    bool on = false;
    double share = 1;
    uint64_t number = 0;  // lines, bytes, milliseconds, tokens
    uint64_t times_max = UINT64_MAX;
    std::string word;
    uint64_t asked = 0;
    uint64_t happened = 0;
  };

  [[nodiscard]] Result<void> SwitchOn(std::string_view text);
  [[nodiscard]] static Result<void> SetArgument(const FaultInfo& info, std::string_view argument,
                                                Switch& target);
  [[nodiscard]] const Switch& At(Fault fault) const {
    return switches_[static_cast<size_t>(fault)];
  }

  uint64_t seed_ = 0;
  std::mutex mutex_;  // guards the counts; the rest stays as parsed
  std::array<Switch, kFaultCount> switches_;
};

}  // namespace sluice
