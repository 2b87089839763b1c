#include "engine/pinned_corpus.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/content_log.h"
#include "io/base/clock.h"
#include "io/json/json_document.h"
#include "io/json/json_text.h"
#include "io/shard/manifest.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr const char* kText = "text";
constexpr const char* kJsonLines = "jsonl";

std::chrono::system_clock::time_point TimeOf(int64_t mtime_ns) {
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(
          std::chrono::nanoseconds(mtime_ns)));
}

std::string Printable(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

// The path from the root, so that the file is found again from wherever it is looked for; as it was
// given when the working folder has a name that JSON cannot hold. (Names of files are UTF-8.)
std::string PathOf(const CorpusFile& file) {
  std::error_code error;
  const bool is_as_it_is = file.is_standard_input() || file.is_address();
  const std::string path =
      is_as_it_is ? file.path : std::filesystem::absolute(file.path, error).string();
  return error || FindInvalidUtf8(path).has_value() ? file.path : path;
}

Json FileJson(const CorpusFile& file) {
  const bool is_file = !file.is_standard_input();
  return {{"name", Printable(file.name)},
          {"path", PathOf(file)},
          {"format", file.format == InputFormat::kText ? kText : kJsonLines},
          {"size", file.size},
          {"mtime_ns", is_file ? file.mtime_ns : 0},
          {"ctime_ns", is_file ? file.ctime_ns : 0},
          {"inode", is_file ? file.inode : 0}};
}

std::unexpected<Error> CorpusChanged(std::string message) {
  return Fail(ErrorCode::kInput, std::move(message),
              "put the corpus back to go on, or start over with --fresh");
}

// Where two lists part, by name.
Result<void> CompareNames(const Json& pinned, const Json& now) {
  const size_t common = std::min(pinned.size(), now.size());
  for (size_t i = 0; i < common; ++i) {
    if (pinned[i]["name"] != now[i]["name"]) {
      return CorpusChanged(fmt::format(
          "file {} of the corpus was {} when this run began and is "
          "{} now",
          i + 1, pinned[i]["name"].get<std::string>(), now[i]["name"].get<std::string>()));
    }
  }
  if (pinned.size() != now.size()) {
    const bool grew = now.size() > common;
    return CorpusChanged(fmt::format(
        "the corpus had {} files when this run began and has {} now: "
        "{} is {}",
        pinned.size(), now.size(), (grew ? now : pinned)[common]["name"].get<std::string>(),
        grew ? "new" : "gone"));
  }
  return {};
}

Result<void> CompareFile(const Json& pinned, const Json& now) {
  const auto name = now["name"].get<std::string>();
  if (pinned["size"] != now["size"]) {
    return CorpusChanged(fmt::format("{} had {} bytes when this run began and has {} now", name,
                                     pinned["size"].get<uint64_t>(), now["size"].get<uint64_t>()));
  }
  const auto format = now["format"].get<std::string>();
  if (pinned.value("format", format) != format) {
    return Fail(ErrorCode::kUsage,
                fmt::format("{} was read as {} when this run began (--input-format) and would be "
                            "read as {} now",
                            name, pinned["format"].get<std::string>(), format),
                "use the old value to go on, or --fresh to start over");
  }
  return {};
}

// Whether time stamps or the file behind the name are others. Says nothing about the content.
bool IsTouched(const Json& pinned, const Json& now) {
  return std::ranges::any_of(std::array{"mtime_ns", "ctime_ns", "inode"}, [&](const char* name) {
    return pinned.value(name, now[name]) != now[name];
  });
}

// How many of the first bytes of file `number` are in sealed shards; a compressed file cannot be
// told from its middle, and then any part that was read has to do.
uint64_t BytesPacked(const CorpusFile& file, uint32_t number, const CorpusPlace& place) {
  if (number != place.file) {
    return number < place.file ? file.size : 0;
  }
  return file.compression == InputCompression::kNone ? place.offset
                                                     : std::min<uint64_t>(place.offset, 1);
}

// Whether the first `needed` bytes of a file, and whatever else was read of it, are as they were.
Result<bool> IsAsRead(FileSystem& files, const CorpusFile& file,
                      const std::vector<ContentRead>& reads, uint64_t needed) {
  uint64_t known = 0;
  for (const ContentRead& read : reads) {
    if (read.from > known || read.to > file.size) {
      return false;
    }
    SLUICE_ASSIGN(const std::string checksum, ChecksumOfPart(files, file.path, read.from, read.to));
    if (checksum != read.checksum) {
      return false;
    }
    known = std::max(known, read.to);
  }
  return known >= needed;
}

// Files whose time stamps moved must still hold what was read of them.
Result<void> CompareContent(FileSystem& files, const RunDirectory& directory,
                            const std::vector<CorpusFile>& list,
                            const std::set<uint32_t>& touched) {
  SLUICE_ASSIGN(const Manifest manifest, Manifest::Read(files, directory.manifest()));
  SLUICE_ASSIGN(const auto reads, ReadContentLog(files, directory.content(), touched));
  for (const uint32_t number : touched) {
    const CorpusFile& file = list[number];
    const uint64_t needed = BytesPacked(file, number, manifest.position().place);
    const auto known = reads.find(number);
    SLUICE_ASSIGN(
        const bool is_as_read,
        IsAsRead(files, file, known == reads.end() ? std::vector<ContentRead>{} : known->second,
                 needed));
    if (needed > 0 && !is_as_read) {
      return CorpusChanged(fmt::format(
          "{} is as long as when this run began, but its content is another (it was written at {})",
          Printable(file.name), FormatTime(TimeOf(file.mtime_ns))));
    }
  }
  return {};
}

// Standard input that is packed to its end is not read any more: who gives another one would be
// given the answers to the first.
Result<void> CompareInput(FileSystem& files, const RunDirectory& directory,
                          const std::vector<CorpusFile>& list, const std::stop_token& stop) {
  const auto input = std::ranges::find_if(list, &CorpusFile::is_standard_input);
  if (input == list.end()) {
    return {};
  }
  SLUICE_ASSIGN(const Manifest manifest, Manifest::Read(files, directory.manifest()));
  if (!manifest.end().has_value()) {
    return {};
  }
  const auto number = static_cast<uint32_t>(input - list.begin());
  SLUICE_ASSIGN(const auto reads, ReadContentLog(files, directory.content(), {number}));
  const auto known = reads.find(number);
  if (known == reads.end() || known->second.front().from != 0) {
    return {};
  }
  SLUICE_ASSIGN(const InputGiven given, CompareStandardInput(known->second.front(), stop));
  return given == InputGiven::kOther
             ? CorpusChanged("standard input is not what it was when this run began")
             : Result<void>();
}

}  // namespace

Json CorpusToJson(const std::vector<CorpusFile>& list) {
  Json files = Json::array();
  for (const CorpusFile& file : list) {
    files.push_back(FileJson(file));
  }
  return files;
}

std::vector<CorpusFile> CorpusFromJson(const Json& json) {
  std::vector<CorpusFile> list;
  for (const Json& file : json) {
    const Json path = file.value("path", Json());
    // Older ledgers lack the path of a file: then it is where its name says.
    const std::string name = ParseJson(file.at("name").get<std::string>());
    list.push_back({.path = path.is_string() ? path.get<std::string>() : name,
                    .name = name,
                    .format = file.value("format", kJsonLines) == kText ? InputFormat::kText
                                                                        : InputFormat::kJsonLines,
                    .compression = CompressionByName(name),
                    .size = file.at("size"),
                    .mtime_ns = file.at("mtime_ns"),
                    .ctime_ns = file.value("ctime_ns", int64_t{0}),
                    .inode = file.value("inode", uint64_t{0})});
  }
  return list;
}

Result<void> ExpectPinnedFiles(FileSystem& files, const RunDirectory& directory, const Json& pinned,
                               const std::vector<CorpusFile>& list, const std::stop_token& stop) {
  SLUICE_TRY(CompareNames(pinned, CorpusToJson(list)));
  return CompareInput(files, directory, list, stop);
}

Result<bool> IsPinnedCorpusTouched(FileSystem& files, const RunDirectory& directory,
                                   const Json& pinned, const std::vector<CorpusFile>& list) {
  const Json now = CorpusToJson(list);
  std::set<uint32_t> touched;
  for (size_t i = 0; i < now.size(); ++i) {
    SLUICE_TRY(CompareFile(pinned[i], now[i]));
    if (IsTouched(pinned[i], now[i])) {
      touched.insert(static_cast<uint32_t>(i));
    }
  }
  if (!touched.empty()) {
    SLUICE_TRY(CompareContent(files, directory, list, touched));
  }
  return !touched.empty();
}

}  // namespace sluice
