// AnswerStream: the answers of one job while they arrive. A thread of its own fetches them into a
// bounded pipe, which is read here; so decoding keeps pace with the network and nothing is written
// to disk in between. One thread at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "api/provider/provider.h"
#include "engine/progress.h"
#include "engine/stage_times.h"
#include "io/base/checksum.h"
#include "io/base/error.h"
#include "io/codec/byte_pipe.h"
#include "io/codec/byte_source.h"

namespace sluice {

// Takes a copy of what arrives (--keep-answers). Called by the fetching thread.
class AnswerKeeper {
 public:
  virtual ~AnswerKeeper() = default;
  [[nodiscard]] virtual Result<void> Take(std::span<const std::byte> bytes) = 0;
};

class AnswerStream {
 public:
  struct Environment {
    Provider& provider;
    Progress& progress;
    StageTimes& times;
    AnswerKeeper* keeper = nullptr;  // may be null
  };
  struct Fetched {
    uint64_t bytes = 0;
    std::string checksum;
    std::string begin;  // the first bytes, kBeginBytes of them at most
  };
  static constexpr size_t kBeginBytes = 512;

  // Begins to fetch. `job` and what `environment` names must outlive the stream.
  AnswerStream(const BatchJob& job, const Environment& environment, std::stop_token stop);
  // Gives up what has not arrived.
  ~AnswerStream();
  AnswerStream(const AnswerStream&) = delete;
  AnswerStream& operator=(const AnswerStream&) = delete;

  // The first bytes, `size` of them when there are as many; they are still to be read.
  [[nodiscard]] Result<std::string_view> Peek(size_t size);
  // All bytes from the first on. Must not outlive the stream.
  [[nodiscard]] std::unique_ptr<ByteSource> Source();
  // Waits for the end of the transfer, which comes at once when the source was not read to its end.
  [[nodiscard]] Result<Fetched> Finish();
  // The transfer broke and the service could only begin from zero: what was read is to be
  // forgotten, and another stream to be opened.
  [[nodiscard]] bool began_anew() const { return began_anew_; }

 private:
  class PipeSource;

  void FetchAll(const BatchJob& job, const Environment& environment, const std::stop_token& stop);
  [[nodiscard]] Result<size_t> Read(std::span<std::byte> buffer);

  BytePipe pipe_;
  std::string front_;  // peeked at
  size_t front_read_ = 0;
  Checksum checksum_;
  std::string begin_;
  std::atomic<bool> began_anew_ = false;
  std::optional<Result<uint64_t>> fetched_;  // set by the thread, read when it has ended
  std::stop_source stop_;
  std::jthread thread_;  // last: it uses all above
};

}  // namespace sluice
