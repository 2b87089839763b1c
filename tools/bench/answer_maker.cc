#include "tools/bench/answer_maker.h"

#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <numeric>
#include <random>
#include <tuple>
#include <vector>

#include "io/file/atomic_file.h"
#include "io/record/ordinal.h"
#include "io/sink/npy_header.h"

namespace sluice {
namespace {

constexpr size_t kAnswersFlushBytes = size_t{1} << 20;

// A row's vector depends on the seed and its number only, so that lines and array can be written
// in different orders. std::normal_distribution may differ between libraries; this does not.
class VectorMaker {
 public:
  VectorMaker(uint64_t seed, int dimension)
      : seed_(seed), vector_(static_cast<size_t>(dimension)) {}

  std::span<const float> Make(uint64_t row) {
    std::mt19937_64 random(seed_ * 0x9E3779B97F4A7C15 + row);
    double square = 0;
    for (float& value : vector_) {
      // The sum of four uniform numbers is near enough to a normal one.
      const uint64_t bits = random();
      double sum = -2;
      for (int part = 0; part < 4; ++part) {
        sum += static_cast<double>(bits >> (16 * part) & 0xFFFF) / 65536;
      }
      value = static_cast<float>(sum);
      square += sum * sum;
    }
    if (square == 0) {  // a few numbers can all be zero, and have no direction
      vector_.front() = 1;
      square = 1;
    }
    const double scale = 1 / std::sqrt(square);
    for (float& value : vector_) {
      value = static_cast<float>(static_cast<double>(value) * scale);
    }
    return vector_;
  }

 private:
  uint64_t seed_;
  std::vector<float> vector_;
};

std::string ExpectedPath(const AnswerMakerOptions& options) {
  return options.folder + "/expected.npy";
}

std::string LinesPath(const AnswerMakerOptions& options, uint32_t file) {
  return fmt::format("{}/answers-{}.jsonl", options.folder, file);
}

Result<void> GoOn(const AnswerMakerOptions& options) {
  return options.stop.stop_requested() ? Fail(ErrorCode::kUnfinished, "stopped") : Result<void>();
}

bool IsFailed(const AnswerMakerOptions& options, uint64_t row) {
  std::mt19937_64 random(~options.seed + row);
  return static_cast<double>(random() >> 11) * 0x1p-53 < options.failed_share;
}

class LineMaker {
 public:
  explicit LineMaker(const AnswerMakerOptions& options)
      : options_(options),
        colon_(options.spaced ? ": " : ":"),
        comma_(options.spaced ? ", " : ","),
        vectors_(options.seed, options.dimension) {}

  void Append(uint64_t row, std::string& out) {
    std::array<char, kKeyDigits> key;
    WriteKey(row, key.data());
    out.append("{\"key\"").append(colon_);
    out.append("\"").append(key.data(), key.size()).append("\"").append(comma_);
    if (IsFailed(options_, row)) {
      out.append(R"("error":{"code":13,"message":"made to fail"}})").append("\n");
      return;
    }
    out.append("\"response\"").append(colon_).append("{\"embedding\"").append(colon_);
    out.append("{\"values\"").append(colon_);
    AppendVector(vectors_.Make(row), out);
    out.append("}");
    if (options_.usage_metadata) {
      out.append(comma_).append("\"usageMetadata\"").append(colon_);
      out.append("{\"promptTokenCount\"").append(colon_);
      out.append(fmt::format("{}}}", 10 + row % 500));
    }
    out.append("}}\n");
  }

 private:
  void AppendVector(std::span<const float> vector, std::string& out) const {
    std::string_view before = "[";
    for (const float value : vector) {
      std::array<char, 32> text;
      const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
      out.append(before).append(text.data(), end.ptr);
      before = comma_;
    }
    out.push_back(']');
  }

  const AnswerMakerOptions& options_;
  std::string_view colon_;
  std::string_view comma_;
  VectorMaker vectors_;
};

Result<void> WriteLines(FileSystem& files, const AnswerMakerOptions& options) {
  std::vector<uint64_t> rows(options.rows);
  std::iota(rows.begin(), rows.end(), uint64_t{0});
  std::mt19937_64 random(options.seed);
  for (size_t i = rows.size(); i > 1; --i) {
    std::swap(rows[i - 1], rows[random() % i]);
  }
  LineMaker lines(options);
  for (uint32_t file = 0; file < options.files; ++file) {
    SLUICE_ASSIGN(AtomicFile out, AtomicFile::Create(files, LinesPath(options, file)));
    std::string text;
    for (size_t i = file; i < rows.size(); i += options.files) {
      lines.Append(rows[i], text);
      if (text.size() >= kAnswersFlushBytes) {
        SLUICE_TRY(GoOn(options));
        SLUICE_TRY(out.Write(text));
        text.clear();
      }
    }
    SLUICE_TRY(out.Write(text));
    SLUICE_TRY(out.Commit());
  }
  return {};
}

Result<void> WriteExpected(FileSystem& files, const AnswerMakerOptions& options) {
  SLUICE_ASSIGN(AtomicFile out, AtomicFile::Create(files, ExpectedPath(options)));
  SLUICE_TRY(out.Write(FormatNpyHeader(options.rows, options.dimension)));
  VectorMaker vectors(options.seed, options.dimension);
  const std::vector<float> failed(static_cast<size_t>(options.dimension),
                                  std::numeric_limits<float>::quiet_NaN());
  std::vector<float> pending;
  for (uint64_t row = 0; row < options.rows; ++row) {
    const std::span<const float> vector = IsFailed(options, row) ? failed : vectors.Make(row);
    pending.insert(pending.end(), vector.begin(), vector.end());
    if (pending.size() * sizeof(float) >= kAnswersFlushBytes || row + 1 == options.rows) {
      SLUICE_TRY(GoOn(options));
      SLUICE_TRY(out.Write(std::as_bytes(std::span(pending))));
      pending.clear();
    }
  }
  return out.Commit();
}

// As far as it goes: why they were not all made is what matters.
void RemoveMade(FileSystem& files, const AnswerMakerOptions& options) {
  std::ignore = files.Remove(ExpectedPath(options));
  for (uint32_t file = 0; file < options.files; ++file) {
    std::ignore = files.Remove(LinesPath(options, file));
  }
}

}  // namespace

Result<void> MakeAnswers(FileSystem& files, const AnswerMakerOptions& options) {
  Result<void> made = WriteLines(files, options);
  if (made.has_value()) {
    made = WriteExpected(files, options);
  }
  if (!made.has_value()) {
    RemoveMade(files, options);
  }
  return made;
}

}  // namespace sluice
