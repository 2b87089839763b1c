#include "engine/merge.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <memory>
#include <numeric>
#include <unordered_map>

#include "api/protocol/row_status.h"
#include "engine/item_pool.h"
#include "engine/merge_counts.h"
#include "engine/ordered_pipeline.h"
#include "io/base/checksum.h"
#include "io/base/resource_pool.h"
#include "io/base/text.h"
#include "io/corpus/corpus.h"
#include "io/json/float_array.h"
#include "io/json/json_text.h"

namespace sluice {
namespace {

constexpr size_t kAnswerLineBytesMax = size_t{64} << 20;
// Small, because decoding overlaps with packing and the two share the memory that is promised.
constexpr size_t kAnswerBlockBytes = size_t{1} << 18;
static_assert(Block::kPadding >= FloatArrayReader::kPadding);

struct Answer {
  std::optional<Ordinal> ordinal;
  bool has_key = false;
  std::optional<uint64_t> text_checksum;  // as in Reply
  std::optional<RowFailure> failure;
  size_t begin = 0;  // in AnswerItem::floats or ::texts
  size_t size = 0;
  uint64_t checksum = 0;  // of the value
  uint64_t general_values = 0;
  bool is_shortened = false;
  bool is_truncated = false;
  Usage usage;
  bool accepted = false;  // the verdict
};

struct AnswerItem final : PipelineItem {
  Block block;
  std::vector<Answer> answers;
  std::vector<float> floats;
  std::string texts;
};

template <typename Take>
void ForEachLine(std::string_view bytes, const Take& take) {
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find('\n'), bytes.size());
    const std::string_view line = bytes.substr(0, end);
    if (!IsBlankLine(line)) {
      take(line);
    }
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
}

// To unit length; false for a vector that has none.
bool Normalize(std::span<float> vector) {
  const double square = std::inner_product(
      vector.begin(), vector.end(), vector.begin(), 0.0, std::plus<>(),
      [](float a, float b) { return static_cast<double>(a) * static_cast<double>(b); });
  if (square == 0) {
    return false;
  }
  const double scale = 1.0 / std::sqrt(square);
  std::ranges::transform(vector, vector.begin(), [scale](float value) {
    return static_cast<float>(static_cast<double>(value) * scale);
  });
  return true;
}

// What is known about each row so far. Used in input order, by one thread at a time.
class Verdicts {
 public:
  Verdicts(OrdinalRange range, bool embeds)
      : range_(range), embeds_(embeds), state_(range.count), value_(range.count) {}

  // Decides whether `answer` is the one that counts for its row.
  void Judge(Answer& answer) {
    if (!answer.ordinal.has_value() || !range_.contains(*answer.ordinal)) {
      ++(answer.has_key ? outcome_.strangers : outcome_.malformed_lines);
      return;
    }
    const size_t row = *answer.ordinal - range_.first;
    if (answer.failure.has_value()) {
      JudgeFailure(row, std::move(*answer.failure));
      return;
    }
    if (state_[row] == kOk) {
      JudgeSecond(*answer.ordinal, value_[row] == answer.checksum);
      return;
    }
    outcome_.duplicates += state_[row] == kFailed ? 1 : 0;
    failures_.erase(row);
    state_[row] = kOk;
    value_[row] = answer.checksum;
    answer.accepted = true;
    ++outcome_.ok;
    outcome_.values += embeds_ ? answer.size : 0;
    outcome_.general_values += answer.general_values;
    outcome_.shortened += answer.is_shortened ? 1 : 0;
    outcome_.truncated += answer.is_truncated ? 1 : 0;
    AddTokens(outcome_.prompt_tokens, answer.usage.prompt_tokens);
    AddTokens(outcome_.output_tokens, answer.usage.output_tokens);
  }

  [[nodiscard]] bool IsOk(Ordinal row) const {
    return range_.contains(row) && state_[row - range_.first] == kOk;
  }

  // `unanswered`: as MergeOptions.
  MergeOutcome Take(const std::optional<RowFailure>& unanswered) {
    for (size_t row = 0; row < state_.size(); ++row) {
      if (state_[row] == kOk) {
        outcome_.digest += RowDigest(range_.first + row, value_[row]);
      } else if (state_[row] == kFailed) {
        outcome_.failed.push_back(
            {.row = range_.first + row, .failure = std::move(failures_[row])});
      } else if (state_[row] == kUnseen) {
        ++outcome_.missing;
        outcome_.failed.push_back({.row = range_.first + row,
                                   .failure = unanswered.has_value() ? *unanswered : NoAnswer(),
                                   .is_missing = true});
      }
    }
    return std::move(outcome_);
  }

 private:
  enum State : uint8_t { kUnseen, kFailed, kOk };

  void JudgeSecond(Ordinal row, bool is_same) {
    ++(is_same ? outcome_.duplicates : outcome_.conflicts);
    if (!is_same) {
      KeepFirst(outcome_.first_conflict, row);
    }
  }

  [[nodiscard]] RowFailure NoAnswer() const {
    return {.failure_class = FailureClass::kMissing,
            .message = outcome_.malformed_lines == 0
                           ? "the service sent no answer for this row"
                           : "the service sent no answer for this row, and lines that cannot be "
                             "read"};
  }

  void JudgeFailure(size_t row, RowFailure failure) {
    if (state_[row] != kUnseen) {
      ++outcome_.duplicates;
      return;
    }
    state_[row] = kFailed;
    failures_.emplace(row, std::move(failure));
  }

  OrdinalRange range_;
  bool embeds_;
  std::vector<State> state_;
  std::vector<uint64_t> value_;  // checksum of the value, to tell a duplicate from a conflict
  std::unordered_map<size_t, RowFailure> failures_;
  MergeOutcome outcome_;
};

// The graph's stations, in order.
class Merger {
 public:
  Merger(const MergeOptions& options, MergeEnvironment& environment, ShardSink& sink)
      : options_(options),
        environment_(environment),
        sink_(sink),
        decoders_([this] { return environment_.protocol.MakeDecoder(); }),
        verdicts_(options.range, options.dimension > 0) {}

  Result<MergeOutcome> Run(Corpus& answers) {
    const PipelineSource source = {
        .next = [&] { return Read(answers); },
        .recycle = [&](std::unique_ptr<PipelineItem> item) { items_.Put(std::move(item)); }};
    const std::vector<Station> stations = {
        {.order = Station::Order::kParallel, .work = On(&Merger::Decode)},
        {.order = Station::Order::kInOrder, .work = On(&Merger::Judge)},
        {.order = Station::Order::kParallel, .work = On(&Merger::Place)},
    };
    SLUICE_TRY(RunOrderedPipeline(options_.threads, source, stations, environment_.stop));
    MergeOutcome outcome = verdicts_.Take(options_.unanswered);
    for (const FailedRow& row : outcome.failed) {
      SLUICE_TRY(sink_.PutFailure(row.row, FailureJson(row.failure)));
    }
    return outcome;
  }

 private:
  std::function<Result<void>(PipelineItem&)> On(Result<void> (Merger::*work)(AnswerItem&)) {
    return
        [this, work](PipelineItem& item) { return (this->*work)(static_cast<AnswerItem&>(item)); };
  }

  Result<std::unique_ptr<PipelineItem>> Read(Corpus& answers) {
    std::unique_ptr<PipelineItem> item = items_.Take();
    SLUICE_ASSIGN(const bool more, answers.Next(static_cast<AnswerItem&>(*item).block));
    return more ? std::move(item) : nullptr;
  }

  Result<void> Decode(AnswerItem& item) {
    const StageTimer timer(environment_.times, Stage::kDecode);
    item.answers.clear();
    item.floats.clear();
    item.texts.clear();
    const auto decoder = decoders_.Take();
    ForEachLine(item.block.bytes,
                [&](std::string_view line) { DecodeLine(decoder->Decode(line), item); });
    for (size_t i = 0; i < item.block.oversize.size(); ++i) {
      item.answers.emplace_back();
    }
    return {};
  }

  void DecodeLine(Reply reply, AnswerItem& item) const {
    Answer& answer = item.answers.emplace_back();
    answer.ordinal = reply.ordinal;
    answer.has_key = !reply.key.empty();
    answer.text_checksum = reply.text_checksum;
    answer.failure = std::move(reply.failure);
    answer.usage = reply.usage;
    answer.general_values = reply.general_values;
    answer.is_shortened = reply.is_shortened;
    answer.is_truncated = reply.is_truncated;
    if (answer.failure.has_value()) {
      if (environment_.cut_secrets_out) {
        environment_.cut_secrets_out(answer.failure->message);
      }
      // Only now: half a secret is not found any more.
      answer.failure->message = BoundedMessage(std::move(answer.failure->message));
      return;
    }
    if (options_.dimension == 0) {
      answer.begin = item.texts.size();
      answer.size = reply.answer.size();
      item.texts.append(reply.answer);
      answer.checksum = ChecksumOf(AsBytes(reply.answer));
      return;
    }
    answer.begin = item.floats.size();
    answer.size = reply.vector.size();
    if (answer.size != static_cast<size_t>(options_.dimension)) {
      answer.failure = {.failure_class = FailureClass::kMalformed,
                        .message = fmt::format("the embedding has {} values instead of {}",
                                               answer.size, options_.dimension)};
      return;
    }
    item.floats.insert(item.floats.end(), reply.vector.begin(), reply.vector.end());
    if (options_.normalize && !Normalize(VectorOf(item, answer))) {
      answer.failure = {.failure_class = FailureClass::kMalformed,
                        .message = "the embedding is all zeros and has no unit length"};
      return;
    }
    answer.checksum = ChecksumOf(std::as_bytes(VectorOf(item, answer)));
  }

  static std::span<float> VectorOf(AnswerItem& item, const Answer& answer) {
    return std::span(item.floats).subspan(answer.begin, answer.size);
  }

  static std::string_view TextOf(const AnswerItem& item, const Answer& answer) {
    return std::string_view(item.texts).substr(answer.begin, answer.size);
  }

  Result<void> Judge(AnswerItem& item) {
    for (Answer& answer : item.answers) {
      if (answer.text_checksum.has_value() && environment_.rows_by_text != nullptr) {
        SLUICE_TRY(FindRow(answer));
      }
      verdicts_.Judge(answer);
    }
    return {};
  }

  // A row that asked about the text that came back, and is not answered yet.
  Result<void> FindRow(Answer& answer) {
    do {
      SLUICE_ASSIGN(answer.ordinal, environment_.rows_by_text->Take(*answer.text_checksum));
    } while (answer.ordinal.has_value() && verdicts_.IsOk(*answer.ordinal));
    return {};
  }

  Result<void> Place(AnswerItem& item) {
    const StageTimer timer(environment_.times, Stage::kPlace);
    for (const Answer& answer : item.answers) {
      if (!answer.accepted) {
        continue;
      }
      if (options_.dimension == 0) {
        SLUICE_TRY(sink_.PutAnswer(*answer.ordinal, TextOf(item, answer)));
      } else {
        SLUICE_TRY(sink_.PutVector(*answer.ordinal, VectorOf(item, answer)));
      }
    }
    return {};
  }

  const MergeOptions& options_;
  MergeEnvironment& environment_;
  ShardSink& sink_;
  ResourcePool<ReplyDecoder> decoders_;
  Verdicts verdicts_;
  ItemPool<AnswerItem> items_;
};

}  // namespace

uint64_t RowDigest(Ordinal row, uint64_t value) {
  const std::array<uint64_t, 2> pair = {row, value};
  return ChecksumOf(std::as_bytes(std::span(pair)));
}

CorpusOptions AnswerReading(std::string spool_folder) {
  CorpusOptions options;
  options.format = CorpusOptions::Format::kJsonLines;
  options.line_bytes_max = kAnswerLineBytesMax;
  options.block_bytes = kAnswerBlockBytes;
  options.spool_folder = std::move(spool_folder);
  return options;
}

Result<MergeOutcome> MergeAnswers(Corpus& answers, const MergeOptions& options,
                                  MergeEnvironment& environment, ShardSink& sink) {
  return Merger(options, environment, sink).Run(answers);
}

Result<MergeOutcome> FailAllRows(OrdinalRange range, const RowFailure& failure, ShardSink& sink) {
  MergeOutcome outcome;
  const std::string json = FailureJson(failure);
  const bool is_missing = failure.failure_class == FailureClass::kMissing;
  for (Ordinal row = range.first; row < range.end(); ++row) {
    SLUICE_TRY(sink.PutFailure(row, json));
    outcome.failed.push_back({.row = row, .failure = failure, .is_missing = is_missing});
  }
  outcome.missing = is_missing ? range.count : 0;
  return outcome;
}

std::optional<int> FindDimension(std::string_view text, const LineProtocol& protocol) {
  std::string padded(text.substr(0, text.rfind('\n') + 1));
  const size_t size = padded.size();
  padded.append(Block::kPadding, '\0');
  const auto decoder = protocol.MakeDecoder();
  std::map<int, uint64_t> votes;
  ForEachLine(std::string_view(padded).substr(0, size), [&](std::string_view line) {
    const Reply reply = decoder->Decode(line);
    if (!reply.failure.has_value()) {
      ++votes[static_cast<int>(reply.vector.size())];
    }
  });
  if (votes.empty()) {
    return std::nullopt;
  }
  return std::ranges::max_element(votes, {}, [](const auto& vote) { return vote.second; })->first;
}

std::string FailureJson(const RowFailure& failure) {
  std::string json = fmt::format("{{\"class\":\"{}\",\"code\":{},\"message\":",
                                 FailureClassName(failure.failure_class), failure.code);
  AppendJsonString(json, failure.message);
  json.push_back('}');
  return json;
}

}  // namespace sluice
