// What stands in a ledger beside its tables: entries, each a key and a text (docs/formats.md).
#pragma once

#include <string>
#include <string_view>

namespace sluice {

// Keys of Ledger::Get().
inline constexpr const char* kRunIdKey = "run_id";
inline constexpr const char* kFilesKey = "files";        // the corpus
inline constexpr const char* kSettingsKey = "settings";  // that are pinned
inline constexpr const char* kHowKey = "how";            // settings that another command may change
inline constexpr const char* kDimensionKey = "dimension";
inline constexpr const char* kStateKey = "state";          // kFinished, or absent
inline constexpr const char* kCancelledKey = "cancelled";  // when, or absent
inline constexpr const char* kOutputsKey = "outputs";
inline constexpr const char* kAuditKey = "audit";  // at the end: kAudited, or why it was not made
inline constexpr const char* kFinished = "DONE";
inline constexpr const char* kAudited = "DONE";

// Names of settings that are no texts, as all others are.
inline constexpr const char* kDimensionSetting = "--dim";
inline constexpr const char* kLineBytesSetting = "--max-line-bytes";
inline constexpr const char* kShardRowsSetting = "--shard-rows";
inline constexpr const char* kShardBytesSetting = "--shard-bytes";
inline constexpr const char* kShardTokensSetting = "--shard-tokens";
inline constexpr const char* kShardAnswerBytesSetting = "--shard-answer-bytes";
inline constexpr const char* kNormalizeSetting = "--normalize";
inline constexpr const char* kCompressSetting = "compress";
inline constexpr const char* kKeepAnswersSetting = "keep_answers";
inline constexpr const char* kKeepRemoteSetting = "keep_remote";

// Whether an entry is what its readers expect; those that nobody knows are text.
[[nodiscard]] bool IsReadableEntry(std::string_view key, const std::string& value);

}  // namespace sluice
