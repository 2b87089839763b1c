#include "tools/npy_view.h"

#include <bit>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <fmt/format.h>
#include <limits>
#include <optional>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace sluice {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kHeaderMax = size_t{1} << 16;  // ours have 118 bytes; numpy itself warns at 10,000

std::unexpected<Error> Refuse(std::string_view why) {
  return Fail(ErrorCode::kInput, fmt::format("no array that can be read: {}", why));
}

// The header is a Python dictionary literal with exactly three keys. This reads what numpy and we
// write, in any order of the keys, and refuses the rest.
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view text) : text_(text) {}

  Result<NpyHeader> Read() {
    if (!Take('{')) {
      return Refuse("the header is no dictionary");
    }
    while (!Take('}')) {
      SLUICE_TRY(ReadEntry());
      if (!Take(',') && !Peek('}')) {
        return Refuse("the header's entries are not separated");
      }
    }
    SkipBlank();
    if (!text_.empty()) {
      return Refuse("the header has bytes behind its dictionary");
    }
    if (!has_type_ || !has_order_ || !has_shape_) {
      return Refuse("the header lacks descr, fortran_order or shape");
    }
    return header_;
  }

 private:
  Result<void> ReadEntry() {
    const std::optional<std::string_view> key = TakeString();
    if (!key || !Take(':')) {
      return Refuse("the header has an entry without a name");
    }
    if (*key == "descr" && !std::exchange(has_type_, true)) {
      return TakeString() == "<f4" ? Result<void>()
                                   : Refuse("its numbers are not little-endian float32");
    }
    if (*key == "fortran_order" && !std::exchange(has_order_, true)) {
      return TakeWord("False") ? Result<void>() : Refuse("it is not in C order");
    }
    if (*key == "shape" && !std::exchange(has_shape_, true)) {
      const bool whole = Take('(') && TakeNumber(header_.rows) && Take(',') &&
                         TakeNumber(header_.columns) && (Take(','), Take(')'));
      return whole ? Result<void>() : Refuse("it does not have two dimensions");
    }
    return Refuse("the header has an entry that is unknown or there twice");
  }

  void SkipBlank() {
    const size_t begin = text_.find_first_not_of(" \t\n\r");
    text_.remove_prefix(begin == std::string_view::npos ? text_.size() : begin);
  }

  bool Peek(char wanted) {
    SkipBlank();
    return text_.starts_with(wanted);
  }

  bool Take(char wanted) {
    const bool found = Peek(wanted);
    text_.remove_prefix(found ? 1 : 0);
    return found;
  }

  bool TakeWord(std::string_view word) {
    SkipBlank();
    const bool found = text_.starts_with(word);
    text_.remove_prefix(found ? word.size() : 0);
    return found;
  }

  std::optional<std::string_view> TakeString() {
    SkipBlank();
    if (text_.empty() || (text_.front() != '\'' && text_.front() != '"')) {
      return std::nullopt;
    }
    const size_t end = text_.find(text_.front(), 1);
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    const std::string_view content = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return content;
  }

  bool TakeNumber(uint64_t& number) {
    SkipBlank();
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), number);
    if (error != std::errc{}) {
      return false;
    }
    text_.remove_prefix(static_cast<size_t>(end - text_.data()));
    return true;
  }

  std::string_view text_;
  NpyHeader header_;
  bool has_type_ = false, has_order_ = false, has_shape_ = false;
};

// The bytes that the file must have, or nothing when no file can.
std::optional<uint64_t> ExpectedSize(const NpyHeader& header) {
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  if (header.columns != 0 && header.rows > kMax / sizeof(float) / header.columns) {
    return std::nullopt;
  }
  return header.data_offset + header.rows * header.columns * sizeof(float);
}

struct Descriptor {
  explicit Descriptor(int value) : number(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number >= 0) {
      close(number);
    }
  }
  int number;
};

Result<std::span<const std::byte>> MapFile(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status{};
  if (file.number < 0 || fstat(file.number, &status) != 0) {
    return std::unexpected(SystemError("open", path, errno));
  }
  if (!S_ISREG(status.st_mode) || status.st_size == 0) {
    return Refuse("an empty file or no regular one");
  }
  const auto size = static_cast<size_t>(status.st_size);
  void* address = mmap(nullptr, size, PROT_READ, MAP_SHARED, file.number, 0);
  if (address == MAP_FAILED) {
    return std::unexpected(SystemError("map", path, errno));
  }
  return std::span(static_cast<const std::byte*>(address), size);
}

std::string_view Front(std::span<const std::byte> bytes) {
  constexpr size_t kLengthEnd = 12;  // magic, version and the length of a 2.0 header
  const size_t size = std::min(bytes.size(), kHeaderMax + kLengthEnd);
  return {reinterpret_cast<const char*>(bytes.data()), size};
}

}  // namespace

Result<NpyHeader> ParseNpyHeader(std::string_view bytes) {
  if (!bytes.starts_with(kMagic) || bytes.size() < 12) {
    return Refuse("it does not begin as a .npy file does");
  }
  const auto byte = [bytes](size_t place) {
    return static_cast<size_t>(static_cast<unsigned char>(bytes[place]));
  };
  const size_t version = byte(6);
  if ((version != 1 && version != 2) || byte(7) != 0) {
    return Refuse(fmt::format("format version {}.{} is not known", version, byte(7)));
  }
  const size_t begin = version == 1 ? 10 : 12;
  size_t length = byte(8) | byte(9) << 8U;
  if (version == 2) {
    length |= byte(10) << 16U | byte(11) << 24U;
  }
  if (length > kHeaderMax || begin + length > bytes.size()) {
    return Refuse("its header is cut or too long");
  }
  SLUICE_ASSIGN(NpyHeader header, HeaderReader(bytes.substr(begin, length)).Read());
  header.data_offset = begin + length;
  return header;
}

Result<NpyView> NpyView::Open(const std::string& path) {
  static_assert(std::endian::native == std::endian::little);
  const auto name_file = [&path](Error error) {
    error.message = fmt::format("{}: {}", path, error.message);
    return std::unexpected(std::move(error));
  };
  const Result<std::span<const std::byte>> mapped = MapFile(path);
  if (!mapped.has_value()) {
    return mapped.error().code == ErrorCode::kIo ? std::unexpected(mapped.error())
                                                 : name_file(mapped.error());
  }
  NpyView view(*mapped, NpyHeader{});
  Result<NpyHeader> header = ParseNpyHeader(Front(*mapped));
  if (!header.has_value()) {
    return name_file(std::move(header).error());
  }
  if (ExpectedSize(*header) != mapped->size()) {
    return name_file(Refuse("its size is not what its header says").error());
  }
  if (header->data_offset % alignof(float) != 0) {
    return name_file(Refuse("its numbers are not aligned").error());
  }
  view.header_ = *header;
  return view;
}

NpyView::NpyView(NpyView&& other) noexcept
    : mapped_(std::exchange(other.mapped_, {})), header_(other.header_) {}

NpyView::~NpyView() {
  if (!mapped_.empty()) {
    munmap(const_cast<std::byte*>(mapped_.data()), mapped_.size());
  }
}

std::span<const float> NpyView::Row(uint64_t row) const {
  SLUICE_CHECK(row < header_.rows, "a row behind the end of the array");
  const std::byte* begin =
      mapped_.data() + header_.data_offset + row * header_.columns * sizeof(float);
  return {reinterpret_cast<const float*>(begin), header_.columns};
}

}  // namespace sluice
