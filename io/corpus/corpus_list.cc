#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fnmatch.h>
#include <set>
#include <utility>

#include "io/corpus/corpus.h"
#include "io/json/json_text.h"

namespace sluice {
namespace {

constexpr std::string_view kStandardInput = "-";
constexpr std::string_view kRunFolderEnding = ".sluice";

std::string Join(const std::string& folder, std::string_view name) {
  if (folder.empty() || folder.ends_with('/')) {
    return fmt::format("{}{}", folder, name);
  }
  return fmt::format("{}/{}", folder, name);
}

std::string_view BaseName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool Matches(const std::string& pattern, const std::string& text, int flags) {
  return fnmatch(pattern.c_str(), text.c_str(), flags) == 0;
}

// A pattern without '/' speaks of the base name, one with '/' of the path below the folder, where
// '*' crosses folders.
bool MatchesAny(const std::vector<std::string>& patterns, const std::string& relative) {
  return std::ranges::any_of(patterns, [&relative](const std::string& pattern) {
    const bool is_path = pattern.find('/') != std::string::npos;
    return Matches(pattern, is_path ? relative : std::string(BaseName(relative)), 0);
  });
}

InputCompression CompressionByEnding(std::string_view lower_name) {
  if (lower_name.ends_with(".gz")) {
    return InputCompression::kGzip;
  }
  return lower_name.ends_with(".zst") ? InputCompression::kZstd : InputCompression::kNone;
}

InputFormat FormatOf(std::string_view lower_name, CorpusOptions::Format format) {
  switch (format) {
    case CorpusOptions::Format::kJsonLines:
      return InputFormat::kJsonLines;
    case CorpusOptions::Format::kText:
      return InputFormat::kText;
    case CorpusOptions::Format::kAuto:
      break;
  }
  if (CompressionByEnding(lower_name) != InputCompression::kNone) {
    lower_name = lower_name.substr(0, lower_name.rfind('.'));
  }
  const bool is_json = lower_name == kStandardInput || lower_name.ends_with(".jsonl") ||
                       lower_name.ends_with(".ndjson") || lower_name.ends_with(".json");
  return is_json ? InputFormat::kJsonLines : InputFormat::kText;
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

// Not of a sign-in or of a network on the way to an address.
bool IsOfThePath(ErrorCode code) { return code == ErrorCode::kNotFound || code == ErrorCode::kIo; }

std::unexpected<Error> Unusable(std::string_view input, std::string_view reason) {
  return Fail(ErrorCode::kInput, fmt::format("cannot use input '{}': {}", input, reason));
}

// A name goes into every line that is written about its documents, and is how a file is found
// again.
Result<void> CheckName(const std::string& path) {
  if (!FindInvalidUtf8(path).has_value()) {
    return {};
  }
  return Fail(ErrorCode::kInput, fmt::format("cannot use input {:?}: its name is not UTF-8", path),
              "give it another name, or leave it out with --exclude");
}

class Lister {
 public:
  Lister(FileSystem& files, const CorpusOptions& options) : files_(files), options_(options) {
    for (const std::string& path : options.own_paths) {
      own_paths_.insert(FromTheRoot(path));
    }
  }

  Result<void> AddInput(const std::string& input) {
    if (input == kStandardInput) {
      return AddStandardInput();
    }
    if (files_.Exists(input)) {
      return AddPath(input);
    }
    SLUICE_ASSIGN(const std::vector<std::string> matches, ExpandGlob(input));
    if (matches.empty()) {
      return Unusable(input, "no such file or folder");
    }
    for (const std::string& path : matches) {
      SLUICE_TRY(AddPath(path));
    }
    return {};
  }

  [[nodiscard]] std::vector<CorpusFile> TakeList() { return std::move(list_); }

 private:
  Result<void> AddStandardInput() {
    if (std::ranges::find(list_, kStandardInput, &CorpusFile::path) != list_.end()) {
      return Unusable(kStandardInput, "standard input is named twice");
    }
    AddFile(std::string(kStandardInput), std::string(kStandardInput), {});
    return {};
  }

  Result<void> AddPath(const std::string& path) {
    SLUICE_ASSIGN(const FileStat status, Look(path));
    if (status.is_folder) {
      const size_t count = list_.size();
      SLUICE_TRY(AddBelow(path));
      return list_.size() > count ? Result<void>() : Unusable(path, "no file in it matches");
    }
    if (!status.is_regular) {
      return Unusable(path, "neither a regular file nor a folder");
    }
    AddFile(path, path, status);
    return {};
  }

  // Errors about inputs are mended by the user, not by another try.
  Result<FileStat> Look(const std::string& path) {
    Result<FileStat> status = files_.Stat(path);
    if (!status.has_value() && IsOfThePath(status.error().code)) {
      status.error().code = ErrorCode::kInput;
    }
    return status;
  }

  Result<void> AddBelow(const std::string& root) {
    SLUICE_ASSIGN(std::optional<std::vector<FileBelow>> all, files_.ListBelow(root));
    return all.has_value() ? AddObjects(root, *std::move(all)) : AddFolder(root, "");
  }

  // In the order in which AddFolder() would meet them.
  Result<void> AddObjects(const std::string& root, std::vector<FileBelow> objects) {
    constexpr auto kRank = [](char c) { return c == '/' ? 0 : 1 + static_cast<unsigned char>(c); };
    std::ranges::sort(objects, [&](const FileBelow& a, const FileBelow& b) {
      return std::ranges::lexicographical_compare(a.relative, b.relative, {}, kRank, kRank);
    });
    for (const FileBelow& object : objects) {
      if (IsObjectLeftOut(root, object)) {
        continue;
      }
      const std::string path = Join(root, object.relative);
      if (object.relative.ends_with('/')) {
        return Unusable(path, "it is no folder, though its name ends with a slash");
      }
      AddFile(path, object.relative, object.stat);
    }
    return {};
  }

  // Itself, or a folder that it lies in. What marks an empty folder is an empty object.
  [[nodiscard]] bool IsObjectLeftOut(const std::string& root, const FileBelow& object) const {
    const std::string& relative = object.relative;
    for (size_t slash = relative.find('/'); slash != std::string::npos;
         slash = relative.find('/', slash + 1)) {
      const std::string folder = relative.substr(0, slash);
      if (IsLeftOut(root, folder) || folder.ends_with(kRunFolderEnding)) {
        return true;
      }
    }
    return (relative.ends_with('/') && object.stat.size == 0) || IsLeftOut(root, relative) ||
           !IsWanted(relative);
  }

  [[nodiscard]] bool IsLeftOut(const std::string& root, const std::string& relative) const {
    return BaseName(relative).starts_with('.') || MatchesAny(options_.excludes, relative) ||
           IsOwn(Join(root, relative));
  }

  // Links to folders are not followed below a named folder: they may lead back.
  Result<void> AddFolder(const std::string& root, const std::string& below) {
    Result<std::vector<std::string>> names = files_.List(Join(root, below));
    if (!names.has_value()) {
      return Fail(ErrorCode::kInput, std::move(names.error().message));
    }
    for (const std::string& name : *names) {
      const std::string relative = Join(below, name);
      if (IsLeftOut(root, relative)) {
        continue;
      }
      SLUICE_ASSIGN(const FileStat status, Look(Join(root, relative)));
      if (status.is_folder && name.ends_with(kRunFolderEnding)) {
        continue;
      }
      if (status.is_folder && !status.is_link) {
        SLUICE_TRY(AddFolder(root, relative));
      } else if (status.is_regular && IsWanted(relative)) {
        AddFile(Join(root, relative), relative, status);
      }
    }
    return {};
  }

  static std::string FromTheRoot(const std::string& path) {
    std::error_code error;
    return std::filesystem::absolute(path, error).lexically_normal().string();
  }

  [[nodiscard]] bool IsOwn(const std::string& path) const {
    return !own_paths_.empty() && own_paths_.contains(FromTheRoot(path));
  }

  [[nodiscard]] bool IsWanted(const std::string& relative) const {
    return options_.globs.empty() || MatchesAny(options_.globs, relative);
  }

  void AddFile(std::string path, std::string name, const FileStat& status) {
    const std::string lower = LowerCase(BaseName(path));
    list_.push_back(CorpusFile{.path = std::move(path),
                               .name = std::move(name),
                               .format = FormatOf(lower, options_.format),
                               .compression = CompressionByEnding(lower),
                               .size = status.size,
                               .mtime_ns = status.mtime_ns,
                               .ctime_ns = status.ctime_ns,
                               .inode = status.inode});
  }

  // The paths that match, component by component, each sorted bytewise.
  Result<std::vector<std::string>> ExpandGlob(std::string_view pattern) {
    std::vector<std::string> found = {pattern.starts_with('/') ? "/" : ""};
    while (!pattern.empty()) {
      const size_t slash = std::min(pattern.find('/'), pattern.size());
      const std::string component(pattern.substr(0, slash));
      pattern.remove_prefix(std::min(slash + 1, pattern.size()));
      if (!component.empty()) {
        SLUICE_ASSIGN(found, ExpandComponent(found, component));
      }
    }
    return found;
  }

  Result<std::vector<std::string>> ExpandComponent(const std::vector<std::string>& folders,
                                                   const std::string& component) {
    std::vector<std::string> found;
    for (const std::string& folder : folders) {
      if (component.find_first_of("*?[\\") == std::string::npos) {
        std::string path = Join(folder, component);
        if (files_.Exists(path)) {
          found.push_back(std::move(path));
        }
        continue;
      }
      const std::string listed = folder.empty() ? "." : folder;
      const Result<FileStat> status = files_.Stat(listed);
      if (!status.has_value() || !status->is_folder) {
        continue;
      }
      SLUICE_ASSIGN(const std::vector<std::string> names, files_.List(listed));
      for (const std::string& name : names) {
        if (Matches(component, name, FNM_PERIOD)) {
          found.push_back(Join(folder, name));
        }
      }
    }
    return found;
  }

  FileSystem& files_;
  const CorpusOptions& options_;
  std::set<std::string> own_paths_;  // from the root, without detours
  std::vector<CorpusFile> list_;
};

}  // namespace

InputCompression CompressionByName(std::string_view name) {
  return CompressionByEnding(LowerCase(BaseName(name)));
}

Result<std::vector<CorpusFile>> ListCorpusFiles(FileSystem& files, const CorpusOptions& options) {
  if (options.inputs.empty()) {
    return Fail(ErrorCode::kUsage, "no input was named");
  }
  Lister lister(files, options);
  for (const std::string& input : options.inputs) {
    SLUICE_TRY(lister.AddInput(input));
  }
  std::vector<CorpusFile> list = lister.TakeList();
  for (const CorpusFile& file : list) {
    SLUICE_TRY(CheckName(file.path));
  }
  return list;
}

}  // namespace sluice
