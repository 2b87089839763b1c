#include "tools/argument_files.h"

#include <atomic>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "io/corpus/input_file.h"
#include "io/json/json_text.h"

namespace sluice {
namespace {

// A corpus file as a source of bytes.
class PlainSource final : public ByteSource {
 public:
  static Result<std::unique_ptr<ByteSource>> Open(const CorpusFile& file,
                                                  std::unique_ptr<ByteSource> stream = nullptr) {
    auto source = std::make_unique<PlainSource>(file);
    SLUICE_ASSIGN(source->input_, InputFile::Open(*source->files_, source->file_, 0,
                                                  source->bytes_read_, std::move(stream)));
    return source;
  }

  explicit PlainSource(CorpusFile file) : file_(std::move(file)) {}

  Result<size_t> Read(std::span<std::byte> buffer) override { return input_->Fill(buffer); }

 private:
  const std::unique_ptr<FileSystem> files_ = MakePosixFileSystem();
  const CorpusFile file_;
  std::atomic<uint64_t> bytes_read_ = 0;
  std::unique_ptr<InputFile> input_;  // uses all of the above
};

Result<std::string> ReadPiped(ByteSource& source) {
  std::string text;
  size_t used = 0;
  while (used <= kPipedBytesMax) {
    constexpr size_t kBlockBytes = size_t{1} << 20;
    text.resize(used + kBlockBytes);
    SLUICE_ASSIGN(const size_t count,
                  source.Read(std::as_writable_bytes(std::span(text).subspan(used))));
    used += count;
    if (count == 0) {
      text.resize(used);
      return text;
    }
  }
  return Fail(ErrorCode::kInput,
              fmt::format("there is more on standard input than {} bytes", kPipedBytesMax),
              "write it to a file, and name that");
}

}  // namespace

Result<std::string> ReadFlagFile(const Arguments& arguments, std::string_view name,
                                 FileSystem& files) {
  constexpr uint64_t kFlagFileMax = uint64_t{16} << 20;
  const std::optional<std::string> path = arguments.Text(name);
  if (!path) {
    return std::string();
  }
  Result<std::string> text = ReadWholeFile(files, *path, kFlagFileMax);
  if (!text.has_value()) {
    return Fail(ErrorCode::kUsage, fmt::format("{}: {}", name, text.error().message));
  }
  if (const std::optional<size_t> fault = FindInvalidUtf8(*text)) {
    return Fail(ErrorCode::kUsage,
                fmt::format("{}: '{}' is not valid UTF-8 at byte {}", name, *path, *fault));
  }
  return text;
}

Result<StageSource> PlainSourceOfArgument(const std::string& path, std::stop_token stop) {
  if (path == "-") {
    SLUICE_ASSIGN(const auto piped, PlainSource::Open({.path = "-", .name = "standard input"},
                                                      MakeStandardInputSource(std::move(stop))));
    SLUICE_ASSIGN(std::string text, ReadPiped(*piped));
    return SourceOfBytes(std::move(text));
  }
  SLUICE_ASSIGN(StageSource source, SourceOfArgument(path));
  source.open = [file = CorpusFile{.path = path, .name = path, .size = source.size}] {
    return PlainSource::Open(file);
  };
  source.size = 0;
  return source;
}

Result<StageSource> SourceOfArgument(const std::string& path) {
  Result<StageSource> source = SourceOfFile(path);
  if (!source.has_value() && source.error().code == ErrorCode::kNotFound) {
    source.error().code = ErrorCode::kInput;
  }
  return source;
}

}  // namespace sluice
