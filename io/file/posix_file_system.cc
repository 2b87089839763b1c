#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "io/file/file_system.h"

namespace sluice {
namespace {

// errno as an Error; a missing name has a code of its own, because callers act on it.
std::unexpected<Error> Failure(std::string_view what, std::string_view path) {
  const int error_number = errno;
  Error error = SystemError(what, path, error_number);
  if (error_number == ENOENT) {
    error.code = ErrorCode::kNotFound;
  }
  return std::unexpected(std::move(error));
}

// Calls `call` again for as long as a signal interrupts it.
template <typename Call>
auto Uninterrupted(Call call) {
  while (true) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) {
      return result;
    }
  }
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) = delete;
  ~Descriptor() {
    if (number_ >= 0) {
      close(number_);
    }
  }
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

// Opens above descriptor 2: when the process was started with standard output closed, the ledger
// must not become the place where messages are printed.
Result<Descriptor> OpenDescriptor(const std::string& path, int flags) {
  Descriptor file(
      Uninterrupted([&] { return open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY, 0600); }));
  if (file.number() < 0) {
    return Failure("open", path);
  }
  if (file.number() > STDERR_FILENO) {
    return file;
  }
  Descriptor raised(fcntl(file.number(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (raised.number() < 0) {
    return Failure("open", path);
  }
  return raised;
}

class PosixFile final : public File {
 public:
  PosixFile(Descriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Result<size_t> Read(std::span<std::byte> buffer) override {
    return Taken(Uninterrupted([&] { return read(number(), buffer.data(), buffer.size()); }));
  }

  Result<size_t> ReadAt(uint64_t offset, std::span<std::byte> buffer) override {
    return Taken(Uninterrupted(
        [&] { return pread(number(), buffer.data(), buffer.size(), static_cast<off_t>(offset)); }));
  }

  Result<void> Write(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const ssize_t count =
          Uninterrupted([&] { return write(number(), bytes.data(), bytes.size()); });
      if (count < 0) {
        return Failure("write", path_);
      }
      bytes = bytes.subspan(static_cast<size_t>(count));
    }
    return {};
  }

  Result<void> WriteAt(uint64_t offset, std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const ssize_t count = Uninterrupted(
          [&] { return pwrite(number(), bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
      if (count < 0) {
        return Failure("write", path_);
      }
      bytes = bytes.subspan(static_cast<size_t>(count));
      offset += static_cast<uint64_t>(count);
    }
    return {};
  }

  Result<void> Sync() override {
    return Done("sync", Uninterrupted([&] { return fsync(number()); }));
  }

  Result<void> Truncate(uint64_t size) override {
    return Done("truncate",
                Uninterrupted([&] { return ftruncate(number(), static_cast<off_t>(size)); }));
  }

  void Reserve(uint64_t offset, uint64_t size) override {
    static_cast<void>(fallocate(number(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                                static_cast<off_t>(size)));
  }

  Result<uint64_t> Size() override {
    SLUICE_ASSIGN(const struct stat status, Status());
    return static_cast<uint64_t>(status.st_size);
  }

  Result<bool> HasName() override {
    SLUICE_ASSIGN(const struct stat status, Status());
    return status.st_nlink > 0;
  }

 private:
  [[nodiscard]] Result<struct stat> Status() const {
    struct stat status = {};
    if (fstat(number(), &status) != 0) {
      return Failure("look at", path_);
    }
    return status;
  }

  [[nodiscard]] int number() const { return descriptor_.number(); }

  [[nodiscard]] Result<size_t> Taken(ssize_t count) const {
    if (count < 0) {
      return Failure("read", path_);
    }
    return static_cast<size_t>(count);
  }

  [[nodiscard]] Result<void> Done(std::string_view what, int result) const {
    if (result != 0) {
      return Failure(what, path_);
    }
    return {};
  }

  Descriptor descriptor_;
  std::string path_;
};

int OpenFlags(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead:
      return O_RDONLY;
    case OpenMode::kCreate:
      return O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW;
    case OpenMode::kReadWrite:
      return O_RDWR | O_NOFOLLOW;
    case OpenMode::kAppend:
      return O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW;
  }
  return O_RDONLY;
}

int64_t Nanoseconds(const timespec& time) {
  constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;
  return time.tv_sec * kNanosecondsPerSecond + time.tv_nsec;
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) {
    return ".";
  }
  return slash == 0 ? "/" : path.substr(0, slash);
}

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode) override {
    int flags = OpenFlags(mode);
    if (mode == OpenMode::kCreate) {
      SLUICE_ASSIGN(const bool is_device, RemoveToCreate(path));
      flags &= is_device ? ~(O_CREAT | O_EXCL) : ~0;
    }
    SLUICE_ASSIGN(Descriptor descriptor, OpenDescriptor(path, flags));
    return std::make_unique<PosixFile>(std::move(descriptor), path);
  }

  Result<FileStat> Stat(const std::string& path) override {
    struct stat status = {};
    if (lstat(path.c_str(), &status) != 0) {
      return Failure("look at", path);
    }
    const bool is_link = S_ISLNK(status.st_mode);
    if (is_link && stat(path.c_str(), &status) != 0) {
      return Failure("look at", path);
    }
    return FileStat{.size = static_cast<uint64_t>(status.st_size),
                    .mtime_ns = Nanoseconds(status.st_mtim),
                    .ctime_ns = Nanoseconds(status.st_ctim),
                    .inode = status.st_ino,
                    .is_folder = S_ISDIR(status.st_mode),
                    .is_regular = S_ISREG(status.st_mode),
                    .is_link = is_link};
  }

  bool Exists(const std::string& path) override {
    struct stat status = {};
    return lstat(path.c_str(), &status) == 0;
  }

  Result<void> Rename(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) != 0) {
      return Failure(fmt::format("rename to '{}'", to), from);
    }
    return {};
  }

  Result<void> Remove(const std::string& path) override {
    if (remove(path.c_str()) != 0 && errno != ENOENT) {
      return Failure("remove", path);
    }
    return {};
  }

  Result<void> MakeFolders(const std::string& path) override {
    for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
      const std::string folder = path.substr(0, end);
      if (mkdir(folder.c_str(), 0700) == 0) {
        SLUICE_TRY(SyncFolderOf(folder));
      } else if (errno != EEXIST) {
        return Failure("make folder", folder);
      }
      if (end == std::string::npos) {
        return RequireFolder(path);
      }
    }
  }

  Result<void> SyncFolderOf(const std::string& path) override {
    const std::string folder = FolderOf(path);
    SLUICE_ASSIGN(const Descriptor descriptor, OpenDescriptor(folder, O_RDONLY | O_DIRECTORY));
    if (Uninterrupted([&] { return fsync(descriptor.number()); }) != 0) {
      return Failure("sync folder", folder);
    }
    return {};
  }

  Result<std::vector<std::string>> List(const std::string& path) override {
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(path.c_str()), closedir);
    if (folder == nullptr) {
      return Failure("list folder", path);
    }
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(folder.get())) {
      std::string name = entry->d_name;
      if (name != "." && name != "..") {
        names.push_back(std::move(name));
      }
    }
    if (errno != 0) {
      return Failure("list folder", path);
    }
    std::ranges::sort(names);
    return names;
  }

 private:
  // True for a device, which stays.
  static Result<bool> RemoveToCreate(const std::string& path) {
    struct stat status = {};
    if (lstat(path.c_str(), &status) == 0 && (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode))) {
      return true;
    }
    if (unlink(path.c_str()) != 0 && errno != ENOENT) {
      return Failure("make anew", path);
    }
    return false;
  }

  Result<void> RequireFolder(const std::string& path) {
    SLUICE_ASSIGN(const FileStat status, Stat(path));
    if (!status.is_folder) {
      errno = ENOTDIR;
      return Failure("make folder", path);
    }
    return {};
  }
};

}  // namespace

std::unique_ptr<FileSystem> MakePosixFileSystem() { return std::make_unique<PosixFileSystem>(); }

Result<void> ReadExactly(File& file, uint64_t offset, std::span<std::byte> buffer) {
  while (!buffer.empty()) {
    SLUICE_ASSIGN(const size_t count, file.ReadAt(offset, buffer));
    if (count == 0) {
      return Fail(ErrorCode::kIo, "a work file is shorter than it was written");
    }
    offset += count;
    buffer = buffer.subspan(count);
  }
  return {};
}

Result<bool> IsThere(FileSystem& files, const std::string& path) {
  const Result<FileStat> stat = files.Stat(path);
  if (!stat.has_value() && stat.error().code != ErrorCode::kNotFound) {
    return std::unexpected(stat.error());
  }
  return stat.has_value();
}

Result<std::string> ReadWholeFile(FileSystem& files, const std::string& path, uint64_t size_max) {
  SLUICE_ASSIGN(const std::unique_ptr<File> file, files.Open(path, OpenMode::kRead));
  SLUICE_ASSIGN(const uint64_t size, file->Size());
  const auto too_large = [&] {
    return Fail(ErrorCode::kIo, fmt::format("'{}' is larger than {} bytes", path, size_max));
  };
  if (size > size_max) {
    return too_large();
  }
  // One byte more than the file claims: a file that has grown shows itself, and files without a
  // size of their own (/proc) are read in steps.
  std::string text(static_cast<size_t>(size) + 1, '\0');
  size_t used = 0;
  while (true) {
    SLUICE_ASSIGN(const size_t count,
                  file->Read(std::as_writable_bytes(std::span(text)).subspan(used)));
    used += count;
    if (used > size_max) {
      return too_large();
    }
    if (count == 0) {
      text.resize(used);
      return text;
    }
    if (used == text.size()) {
      text.resize(text.size() * 2);
    }
  }
}

}  // namespace sluice
