#include "api/storage/object_file_system.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

#include "api/http/google_error.h"
#include "io/base/crc32c.h"

namespace sluice {
namespace {

std::unexpected<Error> ReadOnly(const std::string& path) {
  return Fail(ErrorCode::kUsage,
              fmt::format("'{}' cannot be written here", PrintableText(path, 300)),
              "objects of Cloud Storage are inputs; outputs are named with -o");
}

FileStat StatOf(const RemoteObject& object) {
  return {.size = object.size,
          .mtime_ns = object.generation,
          .ctime_ns = object.generation,
          .inode = static_cast<uint64_t>(object.generation),
          .is_regular = true};
}

class ObjectFile final : public File {
 public:
  ObjectFile(StorageClient storage, RemoteObject object, std::stop_token stop)
      : storage_(storage), object_(std::move(object)), stop_(std::move(stop)) {}

  Result<size_t> Read(std::span<std::byte> buffer) override {
    SLUICE_ASSIGN(const size_t count, ReadAt(position_, buffer));
    position_ += count;
    return count;
  }

  Result<size_t> ReadAt(uint64_t offset, std::span<std::byte> buffer) override {
    if (offset >= object_.size || buffer.empty()) {
      return size_t{0};
    }
    const std::scoped_lock lock(mutex_);
    if (offset < begin_ || offset >= begin_ + block_.size()) {
      SLUICE_TRY(Fetch(offset));
    }
    const std::string_view rest = std::string_view(block_).substr(offset - begin_);
    const size_t count = std::min(rest.size(), buffer.size());
    std::memcpy(buffer.data(), rest.data(), count);
    return count;
  }

  Result<uint64_t> Size() override { return object_.size; }
  Result<bool> HasName() override { return true; }
  Result<void> Write(std::span<const std::byte>) override { return Refuse(); }
  Result<void> WriteAt(uint64_t, std::span<const std::byte>) override { return Refuse(); }
  Result<void> Sync() override { return Refuse(); }
  Result<void> Truncate(uint64_t) override { return Refuse(); }

 private:
  [[nodiscard]] std::string Uri() const { return FormatObjectUri(object_.name); }
  [[nodiscard]] Result<void> Refuse() const { return ReadOnly(Uri()); }

  Result<void> Fetch(uint64_t offset) {
    auto block = storage_.ReadRange(object_, offset, ObjectFileSystem::kBlockBytes, stop_);
    if (!block && block.error().code == ErrorCode::kNotFound) {
      return Fail(ErrorCode::kInput,
                  fmt::format("'{}' was changed while it was in use", PrintableText(Uri(), 300)));
    }
    if (!block) {
      return std::unexpected(std::move(block).error());
    }
    block_ = *std::move(block);
    begin_ = offset;
    return CheckSum();
  }

  // Blocks that follow one another from the start speak for the whole.
  Result<void> CheckSum() {
    if (begin_ != summed_) {
      return {};
    }
    sum_.Update(AsBytes(block_));
    summed_ += block_.size();
    if (summed_ == object_.size && sum_.value() != object_.crc32c) {
      return Fail(ErrorCode::kIo,
                  fmt::format("'{}': other bytes came than are stored", PrintableText(Uri(), 300)));
    }
    return {};
  }

  const StorageClient storage_;
  const RemoteObject object_;
  const std::stop_token stop_;
  uint64_t position_ = 0;
  std::mutex mutex_;  // guards all below
  std::string block_;
  uint64_t begin_ = 0;  // of the block
  Crc32cSum sum_;
  uint64_t summed_ = 0;  // bytes from the start
};

}  // namespace

Result<StorageClient> ObjectFileSystem::Storage() {
  const std::scoped_lock lock(mutex_);
  if (!storage_) {
    SLUICE_ASSIGN(StorageClient storage, open_storage_());
    storage_.emplace(storage);
  }
  return *storage_;
}

Result<std::unique_ptr<File>> ObjectFileSystem::Open(const std::string& path, OpenMode mode) {
  if (!IsObjectUri(path)) {
    return local_.Open(path, mode);
  }
  if (mode != OpenMode::kRead) {
    return ReadOnly(path);
  }
  SLUICE_ASSIGN(const ObjectName name, ParseObjectUri(path));
  SLUICE_ASSIGN(const StorageClient storage, Storage());
  SLUICE_ASSIGN(RemoteObject object, storage.Get(name, stop_));
  return std::make_unique<ObjectFile>(storage, std::move(object), stop_);
}

Result<FileStat> ObjectFileSystem::Stat(const std::string& path) {
  if (!IsObjectUri(path)) {
    return local_.Stat(path);
  }
  SLUICE_ASSIGN(const ObjectPrefix folder, ParseFolderUri(path));
  SLUICE_ASSIGN(const StorageClient storage, Storage());
  if (const auto name = ParseObjectUri(path); name && !name->object.ends_with('/')) {
    const auto object = storage.Get(*name, stop_);
    if (object) {
      return StatOf(*object);
    }
    if (object.error().code != ErrorCode::kNotFound) {
      return std::unexpected(object.error());
    }
  }
  SLUICE_ASSIGN(const ObjectPage page,
                storage.List(folder.bucket, {.prefix = folder.prefix, .page_size = 1}, stop_));
  if (page.objects.empty()) {
    return Fail(ErrorCode::kNotFound, fmt::format("'{}' is not there", PrintableText(path, 300)));
  }
  return FileStat{.is_folder = true};
}

bool ObjectFileSystem::Exists(const std::string& path) {
  if (!IsObjectUri(path)) {
    return local_.Exists(path);
  }
  const auto status = Stat(path);
  return status || status.error().code != ErrorCode::kNotFound;
}

Result<std::vector<std::string>> ObjectFileSystem::List(const std::string& path) {
  if (!IsObjectUri(path)) {
    return local_.List(path);
  }
  SLUICE_ASSIGN(const ObjectPrefix folder, ParseFolderUri(path));
  SLUICE_ASSIGN(const StorageClient storage, Storage());
  std::vector<std::string> names;
  const auto add = [&](std::string_view name) {
    name.remove_prefix(std::min(folder.prefix.size(), name.size()));
    name = name.substr(0, name.find('/'));
    if (!name.empty()) {  // An object that marks an empty folder bears the folder's own name.
      names.emplace_back(name);
    }
  };
  ListObjectsOptions options{.prefix = folder.prefix, .delimiter = "/"};
  for (size_t pages = 0; pages == 0 || !options.page_token.empty(); ++pages) {
    if (pages == PagedList<RemoteObject>::kPagesMax) {
      return Fail(ErrorCode::kBadAnswer, "a list has more pages than any list can have");
    }
    SLUICE_ASSIGN(const ObjectPage page, storage.List(folder.bucket, options, stop_));
    for (const RemoteObject& object : page.objects) {
      add(object.name.object);
    }
    std::ranges::for_each(page.prefixes, add);
    options.page_token = page.next_page_token;
  }
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

Result<std::optional<std::vector<FileBelow>>> ObjectFileSystem::ListBelow(const std::string& path) {
  if (!IsObjectUri(path)) {
    return local_.ListBelow(path);
  }
  SLUICE_ASSIGN(const ObjectPrefix folder, ParseFolderUri(path));
  SLUICE_ASSIGN(const StorageClient storage, Storage());
  SLUICE_ASSIGN(const std::vector<RemoteObject> objects,
                storage.ListAll(folder.bucket, {.prefix = folder.prefix}, stop_).Rest());
  std::vector<FileBelow> found;
  for (const RemoteObject& object : objects) {
    if (object.name.object.size() > folder.prefix.size()) {
      found.push_back(
          {.relative = object.name.object.substr(folder.prefix.size()), .stat = StatOf(object)});
    }
  }
  return found;
}

Result<void> ObjectFileSystem::Rename(const std::string& from, const std::string& to) {
  return IsObjectUri(from) || IsObjectUri(to) ? ReadOnly(to) : local_.Rename(from, to);
}

Result<void> ObjectFileSystem::Remove(const std::string& path) {
  return IsObjectUri(path) ? ReadOnly(path) : local_.Remove(path);
}

Result<void> ObjectFileSystem::MakeFolders(const std::string& path) {
  return IsObjectUri(path) ? ReadOnly(path) : local_.MakeFolders(path);
}

Result<void> ObjectFileSystem::SyncFolderOf(const std::string& path) {
  return IsObjectUri(path) ? ReadOnly(path) : local_.SyncFolderOf(path);
}

}  // namespace sluice
