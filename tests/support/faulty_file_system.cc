#include "tests/support/faulty_file_system.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "io/base/text.h"

namespace sluice {
namespace {

constexpr uint64_t kSector = 512;

std::string FolderOf(const std::string& path) { return path.substr(0, path.find_last_of('/')); }

}  // namespace

class FaultyFileSystem::FaultyFile final : public File {
 public:
  FaultyFile(FaultyFileSystem& files, std::unique_ptr<File> file, std::string path,
             std::shared_ptr<Node> node, bool appends)
      : files_(files),
        file_(std::move(file)),
        path_(std::move(path)),
        node_(std::move(node)),
        appends_(appends) {}

  Result<size_t> Read(std::span<std::byte> buffer) override {
    SLUICE_ASSIGN(const size_t count, file_->Read(buffer));
    position_ += count;
    return count;
  }
  Result<size_t> ReadAt(uint64_t offset, std::span<std::byte> buffer) override {
    return file_->ReadAt(offset, buffer);
  }

  Result<void> Write(std::span<const std::byte> bytes) override {
    const std::scoped_lock lock(files_.mutex_);
    const Result<void> met = files_.Meet(DiskCall::kWrite, path_);
    bytes = met.has_value() ? bytes : bytes.first(files_.is_dark_ ? 0 : bytes.size() / 2);
    const uint64_t place = appends_ ? node_->current.size() : position_;
    SLUICE_TRY(file_->Write(bytes));
    position_ = place + bytes.size();
    files_.Note(*node_, place, std::string(AsText(bytes)));
    return met;
  }

  Result<void> WriteAt(uint64_t offset, std::span<const std::byte> bytes) override {
    const std::scoped_lock lock(files_.mutex_);
    const Result<void> met = files_.Meet(DiskCall::kWrite, path_);
    bytes = met.has_value() ? bytes : bytes.first(files_.is_dark_ ? 0 : bytes.size() / 2);
    SLUICE_TRY(file_->WriteAt(offset, bytes));
    files_.Note(*node_, offset, std::string(AsText(bytes)));
    return met;
  }

  Result<void> Sync() override {
    const std::scoped_lock lock(files_.mutex_);
    const Result<void> met = files_.Meet(DiskCall::kSync, path_);
    if (met.has_value()) {
      // From the changes, not from `current`: what an earlier failure lost stays lost.
      for (const Change& change : node_->pending) {
        Apply(change, node_->durable);
      }
      files_.last_durable_ = files_.changes_;
    }
    if (!files_.is_dark_) {
      node_->pending.clear();
    }
    return met;
  }

  Result<void> Truncate(uint64_t size) override {
    const std::scoped_lock lock(files_.mutex_);
    SLUICE_TRY(files_.Meet(DiskCall::kTruncate, path_));
    SLUICE_TRY(file_->Truncate(size));
    files_.Note(*node_, size, std::nullopt);
    return {};
  }

  Result<uint64_t> Size() override { return file_->Size(); }
  Result<bool> HasName() override { return file_->HasName(); }

 private:
  FaultyFileSystem& files_;
  std::unique_ptr<File> file_;
  std::string path_;
  std::shared_ptr<Node> node_;
  bool appends_;
  uint64_t position_ = 0;
};

void FaultyFileSystem::Naming::Apply(Names& names) const {
  names.erase(gone);
  if (!made.empty()) {
    names[made] = node;
  }
}

std::set<std::string> FaultyFileSystem::Naming::Folders() const {
  std::set<std::string> folders;
  for (const std::string& path : {gone, made}) {
    if (!path.empty()) {
      folders.insert(FolderOf(path));
    }
  }
  return folders;
}

FaultyFileSystem::FaultyFileSystem(FileSystem& disk, std::string root)
    : disk_(disk), root_(std::move(root)) {}

FaultyFileSystem::~FaultyFileSystem() = default;

void FaultyFileSystem::Arm(const DiskFault& fault) {
  const std::scoped_lock lock(mutex_);
  fault_ = fault;
  counts_.clear();
}

void FaultyFileSystem::Disarm() {
  const std::scoped_lock lock(mutex_);
  fault_.reset();
}

uint64_t FaultyFileSystem::Count(DiskCall call) const {
  const std::scoped_lock lock(mutex_);
  const auto found = counts_.find(call);
  return found == counts_.end() ? 0 : found->second;
}

void FaultyFileSystem::CutPowerAtSync(uint64_t nth) {
  const std::scoped_lock lock(mutex_);
  cut_at_sync_ = syncs_ + nth;
}

uint64_t FaultyFileSystem::sync_count() const {
  const std::scoped_lock lock(mutex_);
  return syncs_;
}

Result<void> FaultyFileSystem::Meet(DiskCall call, const std::string& path) {
  const uint64_t count = ++counts_[call];
  const bool is_sync = call == DiskCall::kSync || call == DiskCall::kSyncFolder;
  syncs_ += is_sync ? 1 : 0;
  is_dark_ = is_dark_ || (is_sync && syncs_ == cut_at_sync_);
  if (is_dark_) {
    return std::unexpected(SystemError("use, without power,", path, EIO));
  }
  if (fault_.has_value() && fault_->call == call &&
      (count == fault_->nth || (fault_->from_then_on && count > fault_->nth))) {
    return std::unexpected(SystemError("use, as the test wants,", path, fault_->error_number));
  }
  return {};
}

bool FaultyFileSystem::Watches(const std::string& path) const {
  return path.starts_with(root_ + "/");
}

void FaultyFileSystem::Name(std::string gone, std::string made, std::shared_ptr<Node> node) {
  const Naming& naming = namings_.emplace_back(
      Naming{.number = ++changes_, .gone = std::move(gone), .made = std::move(made), .node = node});
  naming.Apply(names_);
}

// A file that was there before this disk was looked at is durable.
std::shared_ptr<FaultyFileSystem::Node> FaultyFileSystem::NodeOf(const std::string& path) {
  auto& node = names_[path];
  if (node == nullptr) {
    node = std::make_shared<Node>();
    node->durable = ReadWholeFile(disk_, path, uint64_t{1} << 30).value();
    node->current = node->durable;
    durable_names_[path] = node;
  }
  return node;
}

void FaultyFileSystem::Note(Node& node, uint64_t place, std::optional<std::string> bytes) {
  const Change& change = node.pending.emplace_back(
      Change{.number = ++changes_, .place = place, .bytes = std::move(bytes)});
  Apply(change, node.current);
}

void FaultyFileSystem::Apply(const Change& change, std::string& content) {
  if (!change.bytes.has_value()) {
    content.resize(change.place);
    return;
  }
  content.resize(std::max<size_t>(content.size(), change.place + change.bytes->size()));
  content.replace(change.place, change.bytes->size(), *change.bytes);
}

Result<std::unique_ptr<File>> FaultyFileSystem::Open(const std::string& path, OpenMode mode) {
  if (mode == OpenMode::kRead || !Watches(path)) {
    return disk_.Open(path, mode);
  }
  const std::scoped_lock lock(mutex_);
  SLUICE_TRY(Meet(DiskCall::kOpen, path));
  const bool is_there = disk_.Exists(path) && mode != OpenMode::kCreate;
  SLUICE_ASSIGN(auto file, disk_.Open(path, mode));
  if (!is_there) {
    Name({}, path, std::make_shared<Node>());
  }
  return std::make_unique<FaultyFile>(*this, std::move(file), path, NodeOf(path),
                                      mode == OpenMode::kAppend);
}

Result<FileStat> FaultyFileSystem::Stat(const std::string& path) { return disk_.Stat(path); }

bool FaultyFileSystem::Exists(const std::string& path) { return disk_.Exists(path); }

Result<void> FaultyFileSystem::Rename(const std::string& from, const std::string& to) {
  const std::scoped_lock lock(mutex_);
  SLUICE_TRY(Meet(DiskCall::kRename, from));
  const auto node = NodeOf(from);
  SLUICE_TRY(disk_.Rename(from, to));
  Name(from, to, node);
  return {};
}

Result<void> FaultyFileSystem::Remove(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  SLUICE_TRY(Meet(DiskCall::kRemove, path));
  SLUICE_TRY(disk_.Remove(path));
  if (names_.contains(path)) {
    Name(path, {}, nullptr);
  }
  return {};
}

Result<void> FaultyFileSystem::MakeFolders(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  SLUICE_TRY(Meet(DiskCall::kMakeFolders, path));
  return disk_.MakeFolders(path);
}

Result<void> FaultyFileSystem::SyncFolderOf(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  SLUICE_TRY(Meet(DiskCall::kSyncFolder, path));
  const std::string folder = FolderOf(path);
  std::erase_if(namings_, [&](const Naming& naming) {
    const bool is_durable = naming.Folders().contains(folder);
    if (is_durable) {
      naming.Apply(durable_names_);
    }
    return is_durable;
  });
  last_durable_ = changes_;
  return {};
}

Result<std::vector<std::string>> FaultyFileSystem::List(const std::string& path) {
  return disk_.List(path);
}

FaultyFileSystem::Names FaultyFileSystem::KeptNames(CutImage image, uint64_t end,
                                                    std::mt19937_64& random) const {
  Names names = durable_names_;
  std::set<std::string> ended;  // folders of which no more changes are kept
  for (const Naming& naming : namings_) {
    bool is_kept = image == CutImage::kNamesFirst || image == CutImage::kTorn;
    if (image == CutImage::kLostTail) {
      is_kept = naming.number <= end;
    } else if (image == CutImage::kReordered) {
      const auto folders = naming.Folders();
      const bool is_behind = std::ranges::any_of(
          folders, [&](const std::string& folder) { return ended.contains(folder); });
      is_kept = !is_behind && random() % 3 != 0;
      if (!is_kept) {
        ended.insert(folders.begin(), folders.end());
      }
    }
    if (is_kept) {
      naming.Apply(names);
    }
  }
  return names;
}

std::string FaultyFileSystem::Kept(const Node& node, CutImage image, uint64_t end,
                                   std::mt19937_64& random) {
  std::string content = node.durable;
  const size_t whole = random() % (node.pending.size() + 1);
  for (size_t i = 0; i < node.pending.size(); ++i) {
    Change change = node.pending[i];
    if ((image == CutImage::kTorn && i < whole) ||
        (image == CutImage::kLostTail && change.number <= end)) {
      Apply(change, content);
    } else if (image == CutImage::kTorn && i == whole && change.bytes.has_value()) {
      change.bytes->resize(random() % (change.bytes->size() + 1));
      Apply(change, content);
    } else if (image == CutImage::kReordered && !change.bytes.has_value()) {
      if (random() % 2 == 0) {
        Apply(change, content);
      }
    } else if (image == CutImage::kReordered) {
      for (uint64_t at = 0; at < change.bytes->size();) {
        const uint64_t size = kSector - (change.place + at) % kSector;
        if (random() % 2 == 0) {
          Apply({.number = 0, .place = change.place + at, .bytes = change.bytes->substr(at, size)},
                content);
        }
        at += size;
      }
    }
  }
  return content;
}

void FaultyFileSystem::Restore(CutImage image, uint64_t seed) {
  const std::scoped_lock lock(mutex_);
  std::mt19937_64 random(seed);
  const uint64_t end = last_durable_ + random() % (changes_ - last_durable_ + 1);
  const Names kept = KeptNames(image, end, random);
  for (const auto& [path, node] : names_) {
    std::filesystem::remove(path);
  }
  names_.clear();
  durable_names_.clear();
  namings_.clear();
  for (const auto& [path, node] : kept) {
    std::ofstream(path, std::ios::binary) << Kept(*node, image, end, random);
  }
  is_dark_ = false;
  cut_at_sync_ = 0;
}

}  // namespace sluice
