#include "engine/verify_shards.h"

#include <fmt/format.h>

#include "io/corpus/content_read.h"
#include "io/shard/shard_file.h"

namespace sluice {
namespace {

std::string Key(Ordinal row) {
  std::string key(kKeyDigits, '0');
  WriteKey(row, key.data());
  return key;
}

}  // namespace

VerifyShards::VerifyShards(const VerifyInput& input, Findings& findings)
    : input_(input), findings_(findings) {
  for (const ShardTrack& track : input.tracks) {
    if (track.state == ShardState::kMerged || track.state == ShardState::kDone) {
      merged_.insert(track.shard);
    }
  }
}

void VerifyShards::Expect(Ordinal row, std::string_view line, uint64_t text_bytes) {
  if (!Reach(row)) {
    return;
  }
  text_bytes_ += text_bytes;
  plain_bytes_ += line.size();
  line.remove_suffix(1);
  const auto found = lines_->Next(line);
  if (found.has_value() && *found != line) {
    lines_->Refuse(Difference(row, *found));
  }
}

void VerifyShards::ExpectKey(Ordinal row) {
  if (!Reach(row)) {
    return;
  }
  const auto found = lines_->Next(Key(row));
  if (found.has_value() && KeyOf(*found) != Key(row)) {
    lines_->Refuse(Difference(row, *found));
  }
}

void VerifyShards::Finish() {
  EndShard();
  while (next_ < input_.manifest.shards().size()) {
    Open(input_.manifest.shards()[next_]);
    EndShard();
  }
  if (absent_ > 0) {
    findings_.AddNote(fmt::format("{} shard files are gone; their rows are merged", absent_));
  }
}

bool VerifyShards::Reach(Ordinal row) {
  while (shard_ == nullptr || !shard_->range.contains(row)) {
    EndShard();
    if (next_ == input_.manifest.shards().size()) {
      return false;
    }
    Open(input_.manifest.shards()[next_]);
  }
  return lines_.has_value();
}

void VerifyShards::Open(const ShardEntry& shard) {
  ++next_;
  shard_ = &shard;
  text_bytes_ = 0;
  plain_bytes_ = 0;
  const std::string path = input_.directory.shard(shard.file);
  if (!input_.files.Exists(path)) {
    if (merged_.contains(shard.shard)) {
      ++absent_;
    } else {
      findings_.AddProblem(Name(), "is not there");
    }
    return;
  }
  CheckFile(shard, path);
  auto source = OpenShard(input_.files, path);
  if (source.has_value()) {
    lines_.emplace(std::move(*source), Name(), findings_);
  }
}

void VerifyShards::CheckFile(const ShardEntry& shard, const std::string& path) {
  const auto stat = input_.files.Stat(path);
  if (!stat.has_value() || stat->size != shard.compressed_bytes) {
    findings_.AddProblem(
        Name(), fmt::format("has {} bytes, the manifest says {}", stat.has_value() ? stat->size : 0,
                            shard.compressed_bytes));
    return;
  }
  const auto checksum = ChecksumOfPart(input_.files, path, 0, stat->size);
  if (!checksum.has_value() || *checksum != shard.checksum) {
    findings_.AddProblem(Name(), fmt::format("has the hash {}, the manifest says {}",
                                             checksum.value_or("of nothing"), shard.checksum));
  }
}

void VerifyShards::EndShard() {
  if (shard_ != nullptr && lines_.has_value()) {
    lines_->ExpectEnd();
    CheckSums();
  }
  lines_.reset();
  shard_ = nullptr;
}

void VerifyShards::CheckSums() {
  if (lines_->given_up() || text_bytes_ == 0) {
    return;
  }
  const std::string where = fmt::format("manifest.jsonl:{}", next_);
  if (plain_bytes_ != shard_->plain_bytes) {
    findings_.AddProblem(where, fmt::format("says {} plain bytes, the requests have {}",
                                            shard_->plain_bytes, plain_bytes_));
  }
  const auto tokens = static_cast<uint64_t>(static_cast<double>(text_bytes_) /
                                            input_.pinned.limits.bytes_per_token);
  if (tokens != shard_->tokens) {
    findings_.AddProblem(
        where, fmt::format("says {} tokens, the requests have {}", shard_->tokens, tokens));
  }
}

std::string VerifyShards::Name() const { return "shards/" + shard_->file; }

std::string VerifyShards::KeyOf(std::string_view line) {
  padded_.assign(line).append(RecordScanner::kPadding, '\0');
  const auto tokens = scanner_.Scan(std::string_view(padded_).substr(0, line.size()));
  const std::string_view key = tokens.has_value() ? tokens->front() : std::string_view();
  return key.size() < 2 ? std::string() : std::string(key.substr(1, key.size() - 2));
}

std::string VerifyShards::Difference(Ordinal row, std::string_view found) {
  const std::string key = KeyOf(found);
  if (key == Key(row)) {
    return fmt::format("is not the request of row {} as the corpus has it: {}", row,
                       Excerpt(found));
  }
  return fmt::format("holds the key {} where {} belongs: {}", Excerpt(key), Excerpt(Key(row)),
                     Excerpt(found));
}

}  // namespace sluice
