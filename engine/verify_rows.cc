#include "engine/verify_rows.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <vector>

#include "engine/verify_lines.h"
#include "io/base/checksum.h"
#include "io/json/float_array.h"
#include "io/sink/npy_header.h"
#include "io/sink/vector_text.h"

namespace sluice {
namespace {

class ArrayRows final : public VerifyRows {
 public:
  ArrayRows(FileSystem& files, const std::string& path, std::string name, uint64_t row,
            uint64_t count, int dimension, Findings& findings)
      : name_(std::move(name)),
        findings_(findings),
        dimension_(static_cast<size_t>(dimension)),
        row_(row),
        end_(row + count),
        values_(dimension_ * std::max<size_t>(kBufferBytes / sizeof(float) / dimension_, 1)),
        used_(values_.size()) {
    auto file = files.Open(path, OpenMode::kRead);
    if (file.has_value()) {
      file_ = std::move(*file);
    } else {
      findings_.AddProblem(name_, file.error().message);
    }
  }

  VerifyRow Next(std::string_view) override {
    if (file_ == nullptr || (used_ == values_.size() && !Refill())) {
      return {};
    }
    const std::span<const float> row = std::span(values_).subspan(used_, dimension_);
    used_ += dimension_;
    const auto bad = static_cast<size_t>(
        std::ranges::count_if(row, [](float value) { return !std::isfinite(value); }));
    // Bit by bit as failed rows are written.
    constexpr auto kFailed = std::bit_cast<uint32_t>(std::numeric_limits<float>::quiet_NaN());
    const bool is_failure = std::ranges::all_of(
        row, [](float value) { return std::bit_cast<uint32_t>(value) == kFailed; });
    if (bad > 0 && !is_failure) {
      findings_.AddProblem(fmt::format("{}, row {}", name_, row_),
                           fmt::format("{} of its values are not finite", bad));
    }
    ++row_;
    return {.is_there = true,
            .is_failure = is_failure,
            .value = ChecksumOf(std::as_bytes(row)),
            .error = {}};
  }

  // The size of an array was compared already.
  void ExpectEnd() override {}

 private:
  static constexpr size_t kBufferBytes = size_t{1} << 20;

  bool Refill() {
    const uint64_t rows =
        std::min<uint64_t>(end_ - std::min(row_, end_), values_.size() / dimension_);
    values_.resize(static_cast<size_t>(rows) * dimension_);
    used_ = 0;
    const uint64_t place = kNpyHeaderBytes + row_ * dimension_ * sizeof(float);
    const auto read = ReadExactly(
        *file_, place, std::as_writable_bytes(std::span(values_.data(), values_.size())));
    if (rows == 0 || !read.has_value()) {
      findings_.AddProblem(fmt::format("{}, row {}", name_, row_), "is not there");
      file_.reset();
      return false;
    }
    return true;
  }

  std::string name_;
  Findings& findings_;
  size_t dimension_;
  uint64_t row_, end_;
  std::vector<float> values_;  // whole rows
  size_t used_;                // of values_
  std::unique_ptr<File> file_;
};

class LineRows final : public VerifyRows {
 public:
  LineRows(FileSystem& files, const std::string& path, const std::string& name, bool has_ids,
           bool embeds, Findings& findings)
      : lines_(CheckedLines::Open(files, path, name, findings)),
        has_ids_(has_ids),
        embeds_(embeds) {}

  VerifyRow Next(std::string_view ids_line) override {
    const auto line = lines_.Next(ids_line);
    if (!line.has_value()) {
      return {};
    }
    std::string_view members = *line;
    const std::string_view ids = ids_line.substr(0, ids_line.size() - 1);
    if (has_ids_ && (!members.starts_with(ids) || !members.substr(ids.size()).starts_with(','))) {
      lines_.Refuse(fmt::format("is of {}, expected {}", Excerpt(members), Excerpt(ids_line)));
      return {};
    }
    answer_.assign("{").append(members.substr(has_ids_ ? ids.size() + 1 : 1));
    return ReadAnswer();
  }

  void ExpectEnd() override { lines_.ExpectEnd(); }

 private:
  static constexpr std::string_view kError = "{\"error\":";
  static constexpr std::string_view kEmbedding = "{\"embedding\":";

  VerifyRow ReadAnswer() {
    if (answer_.starts_with(kError) && answer_.ends_with("}}")) {
      return {.is_there = true,
              .is_failure = true,
              .error = std::string_view(answer_).substr(kError.size(),
                                                        answer_.size() - kError.size() - 1)};
    }
    if (!embeds_) {
      return {.is_there = true, .value = ChecksumOf(AsBytes(answer_)), .error = {}};
    }
    vector_.clear();
    const size_t size = answer_.size();
    answer_.append(FloatArrayReader::kPadding, '\0');
    const auto read =
        answer_.starts_with(kEmbedding)
            ? floats_.Read(std::string_view(answer_).substr(0, size), kEmbedding.size(), vector_)
            : std::nullopt;
    if (!read.has_value() || kEmbedding.size() + *read + 1 != size) {
      lines_.Refuse("holds neither an embedding nor an error: " +
                    Excerpt(std::string_view(answer_).substr(0, size)));
      return {};
    }
    // The last digit of nine may turn and leave the float what it was.
    if (std::string_view(answer_).substr(0, size) != VectorText(vector_)) {
      lines_.Refuse("holds a number in another form than it was written in: " +
                    Excerpt(std::string_view(answer_).substr(0, size)));
      return {};
    }
    return {.is_there = true, .value = ChecksumOf(std::as_bytes(std::span(vector_))), .error = {}};
  }

  CheckedLines lines_;
  bool has_ids_, embeds_;
  std::string answer_;
  FloatArrayReader floats_;
  std::vector<float> vector_;
};

}  // namespace

std::unique_ptr<VerifyRows> OpenArrayRows(FileSystem& files, const std::string& path,
                                          const std::string& name, uint64_t row, uint64_t count,
                                          int dimension, Findings& findings) {
  return std::make_unique<ArrayRows>(files, path, name, row, count, dimension, findings);
}

std::unique_ptr<VerifyRows> OpenLineRows(FileSystem& files, const std::string& path,
                                         const std::string& name, bool has_ids, bool embeds,
                                         Findings& findings) {
  return std::make_unique<LineRows>(files, path, name, has_ids, embeds, findings);
}

}  // namespace sluice
