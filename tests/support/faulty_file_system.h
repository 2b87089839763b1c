// FaultyFileSystem: a disk that fails where a test says so, and that forgets at a power cut what
// was not synced.
//
// Every call goes through to the file system beneath; of the files below `root` it also remembers
// which bytes are durable and which are not. What counts is what POSIX promises: bytes after a sync
// of their file, names after a sync of their folder, and a rename is one step for both folders. A
// sync that failed may have left its bytes clean but not on the disk, so they are never durable
// unless they are written again. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "io/file/file_system.h"

namespace sluice {

enum class DiskCall {
  kOpen,
  kWrite,
  kSync,
  kTruncate,
  kRename,
  kRemove,
  kMakeFolders,
  kSyncFolder
};
inline constexpr size_t kDiskCallCount = 8;

struct DiskFault {
  DiskCall call = DiskCall::kWrite;
  uint64_t nth = 1;           // of its calls since Arm(), counted from 1
  bool from_then_on = false;  // all later ones fail, too
  int error_number = 0;       // errno; a write that fails has written half of its bytes
};

// What a cut may leave of the changes that nothing made durable.
enum class CutImage { kSyncedOnly, kNamesFirst, kTorn, kReordered, kLostTail };
inline constexpr CutImage kCutImages[] = {CutImage::kSyncedOnly, CutImage::kNamesFirst,
                                          CutImage::kTorn, CutImage::kReordered,
                                          CutImage::kLostTail};

class FaultyFileSystem final : public FileSystem {
 public:
  // `disk` must outlive it.
  FaultyFileSystem(FileSystem& disk, std::string root);
  ~FaultyFileSystem() override;

  void Arm(const DiskFault& fault);
  void Disarm();
  [[nodiscard]] uint64_t Count(DiskCall call) const;  // since the last Arm(), or ever
  // At the n-th sync of a file or folder from now on the power goes: it and all later calls fail.
  void CutPowerAtSync(uint64_t nth);
  [[nodiscard]] uint64_t sync_count() const;
  // The power is back: makes the files below root what the cut may have left. No file is open.
  void Restore(CutImage image, uint64_t seed);

  [[nodiscard]] Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override;
  [[nodiscard]] Result<FileStat> Stat(const std::string& path) override;
  [[nodiscard]] bool Exists(const std::string& path) override;
  [[nodiscard]] Result<void> Rename(const std::string& from, const std::string& to) override;
  [[nodiscard]] Result<void> Remove(const std::string& path) override;
  [[nodiscard]] Result<void> MakeFolders(const std::string& path) override;
  [[nodiscard]] Result<void> SyncFolderOf(const std::string& path) override;
  [[nodiscard]] Result<std::vector<std::string>> List(const std::string& path) override;

 private:
  class FaultyFile;
  // A write, or with no bytes a truncate to `place`.
  struct Change {
    uint64_t number = 0;
    uint64_t place = 0;
    std::optional<std::string> bytes;
  };
  struct Node {
    std::string durable;
    std::string current;
    std::vector<Change> pending;
  };
  using Names = std::map<std::string, std::shared_ptr<Node>>;
  struct Naming {
    uint64_t number = 0;
    std::string gone;  // path, or empty
    std::string made;  // path, or empty
    std::shared_ptr<Node> node;
    void Apply(Names& names) const;
    [[nodiscard]] std::set<std::string> Folders() const;
  };

  static void Apply(const Change& change, std::string& content);
  static std::string Kept(const Node& node, CutImage image, uint64_t end, std::mt19937_64& random);
  [[nodiscard]] Names KeptNames(CutImage image, uint64_t end, std::mt19937_64& random) const;
  [[nodiscard]] bool Watches(const std::string& path) const;
  // Nothing, or the failure that a test wants of this call. Called with the lock held.
  [[nodiscard]] Result<void> Meet(DiskCall call, const std::string& path);
  void Name(std::string gone, std::string made, std::shared_ptr<Node> node);
  std::shared_ptr<Node> NodeOf(const std::string& path);
  void Note(Node& node, uint64_t place, std::optional<std::string> bytes);

  FileSystem& disk_;
  std::string root_;
  mutable std::mutex mutex_;  // guards all below
  std::optional<DiskFault> fault_;
  std::map<DiskCall, uint64_t> counts_;
  uint64_t syncs_ = 0;
  uint64_t cut_at_sync_ = 0;  // 0: never
  bool is_dark_ = false;
  uint64_t changes_ = 0;
  uint64_t last_durable_ = 0;  // number of the last change before the last sync
  Names names_;
  Names durable_names_;
  std::vector<Naming> namings_;
};

}  // namespace sluice
