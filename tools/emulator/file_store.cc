#include "tools/emulator/file_store.h"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include "io/json/json_document.h"
#include "tools/emulator/line_scan.h"
#include "tools/emulator/state_file.h"
#include "tools/emulator/timestamp.h"

namespace sluice {

namespace {

using OrderedJson = nlohmann::ordered_json;

// https://ai.google.dev/gemini-api/docs/files, 2026: files are kept for 48 hours.
constexpr int64_t kLifetimeNs = int64_t{48} * 3600 * 1'000'000'000;
constexpr size_t kFileReadBytes = 1 << 18;

struct Digest {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

std::string Hex(std::span<const unsigned char> bytes) {
  std::string hex;
  for (const unsigned char byte : bytes) {
    fmt::format_to(std::back_inserter(hex), "{:02x}", byte);
  }
  return hex;
}

// Fills in size, lines and hash in one pass over the bytes.
Result<void> Measure(FileSystem& files, const std::string& path, StoredFile& file) {
  SLUICE_ASSIGN(auto bytes, files.Open(path, OpenMode::kRead));
  const std::unique_ptr<EVP_MD_CTX, Digest> digest(EVP_MD_CTX_new());
  EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr);
  std::vector<std::byte> buffer(kFileReadBytes);
  LineScan lines;
  file.size = 0;
  file.line_count = 0;
  while (true) {
    SLUICE_ASSIGN(const size_t count, bytes->Read(buffer));
    if (count == 0) {
      break;
    }
    EVP_DigestUpdate(digest.get(), buffer.data(), count);
    lines.Take({reinterpret_cast<const char*>(buffer.data()), count},
               [&](uint64_t) { ++file.line_count; });
    file.size += count;
  }
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  EVP_DigestFinal_ex(digest.get(), hash, &length);
  file.sha256 = Hex({hash, length});
  return {};
}

std::string Base64(std::string_view text) {
  std::string encoded((text.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  encoded.resize(static_cast<size_t>(length));
  return encoded;
}

std::string DocumentText(const StoredFile& file) {
  return OrderedJson{{"id", file.id},
                     {"display_name", file.display_name},
                     {"mime_type", file.mime_type},
                     {"size", file.size},
                     {"line_count", file.line_count},
                     {"create_ns", file.create_ns},
                     {"expire_ns", file.expire_ns},
                     {"sha256", file.sha256},
                     {"generated", file.generated},
                     {"registered", file.registered}}
      .dump();
}

Result<StoredFile> ParseFile(const std::string& text, const std::string& path) {
  const OrderedJson json = ParseOrderedJson(text);
  if (!json.is_object()) {
    return Fail(ErrorCode::kIo, fmt::format("'{}' is not a document of the service", path));
  }
  StoredFile file;
  file.id = json.value("id", "");
  file.display_name = json.value("display_name", "");
  file.mime_type = json.value("mime_type", "");
  file.size = json.value("size", uint64_t{0});
  file.line_count = json.value("line_count", uint64_t{0});
  file.create_ns = json.value("create_ns", int64_t{0});
  file.expire_ns = json.value("expire_ns", int64_t{0});
  file.sha256 = json.value("sha256", "");
  file.generated = json.value("generated", false);
  file.registered = json.value("registered", false);
  return file;
}

}  // namespace

FileStore::FileStore(FileSystem& files, std::string folder, Clock& clock)
    : files_(files), folder_(std::move(folder)), clock_(clock) {}

Result<std::unique_ptr<FileStore>> FileStore::Open(FileSystem& files, std::string folder,
                                                   Clock& clock) {
  SLUICE_TRY(files.MakeFolders(folder));
  auto store = std::make_unique<FileStore>(files, std::move(folder), clock);
  SLUICE_TRY(store->Load());
  return store;
}

Result<void> FileStore::Load() {
  SLUICE_ASSIGN(const auto names, files_.List(folder_));
  for (const std::string& name : names) {
    const std::string path = folder_ + "/" + name;
    if (name.ends_with(".tmp")) {
      SLUICE_TRY(files_.Remove(path));
    } else if (name.ends_with(".json")) {
      SLUICE_ASSIGN(const std::string text, ReadStateFile(files_, path));
      SLUICE_ASSIGN(StoredFile file, ParseFile(text, path));
      // Without its bytes it is a file whose adoption was interrupted; who adopts it does it again.
      if (files_.Exists(DataPath(file.id))) {
        last_create_ns_ = std::max(last_create_ns_, file.create_ns);
        stored_[file.id] = std::move(file);
      }
    }
  }
  return {};
}

std::string FileStore::DataPath(const std::string& id) const {
  return fmt::format("{}/{}.data", folder_, id);
}

std::string FileStore::DocumentPath(const std::string& id) const {
  return fmt::format("{}/{}.json", folder_, id);
}

void FileStore::RemoveExpired() {
  const int64_t now = UnixNanoseconds(clock_.WallNow());
  std::erase_if(stored_, [&](const auto& entry) {
    if (entry.second.expire_ns > now) {
      return false;
    }
    (void)files_.Remove(DocumentPath(entry.first));
    (void)files_.Remove(DataPath(entry.first));
    return true;
  });
}

std::optional<StoredFile> FileStore::Find(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  RemoveExpired();
  const auto found = stored_.find(id);
  return found == stored_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<StoredFile> FileStore::List() {
  const std::scoped_lock lock(mutex_);
  RemoveExpired();
  std::vector<StoredFile> list;
  for (const auto& [id, file] : stored_) {
    if (!file.generated) {
      list.push_back(file);
    }
  }
  std::ranges::sort(list, std::ranges::greater(), &StoredFile::create_ns);
  return list;
}

uint64_t FileStore::UploadedBytes() {
  uint64_t bytes = 0;
  for (const StoredFile& file : List()) {
    bytes += file.size;
  }
  return bytes;
}

Result<StoredFile> FileStore::Adopt(StoredFile file, const std::string& path) {
  SLUICE_TRY(Measure(files_, path, file));
  {
    const std::scoped_lock lock(mutex_);
    last_create_ns_ = std::max(last_create_ns_ + 1, UnixNanoseconds(clock_.WallNow()));
    file.create_ns = last_create_ns_;
  }
  file.expire_ns = file.create_ns + kLifetimeNs;
  SLUICE_TRY(ReplaceStateFile(files_, DocumentPath(file.id), DocumentText(file)));
  SLUICE_TRY(files_.Rename(path, DataPath(file.id)));
  const std::scoped_lock lock(mutex_);
  stored_[file.id] = file;
  return file;
}

Result<bool> FileStore::Remove(const std::string& id) {
  {
    const std::scoped_lock lock(mutex_);
    if (stored_.erase(id) == 0) {
      return false;
    }
  }
  SLUICE_TRY(files_.Remove(DocumentPath(id)));
  SLUICE_TRY(files_.Remove(DataPath(id)));
  return true;
}

std::string FileText(const StoredFile& file, const std::string& base_url) {
  OrderedJson text;
  text["name"] = "files/" + file.id;
  if (!file.display_name.empty()) {
    text["displayName"] = file.display_name;
  }
  if (!file.mime_type.empty()) {
    text["mimeType"] = file.mime_type;
  }
  if (file.size > 0) {
    text["sizeBytes"] = fmt::format("{}", file.size);
  }
  text["createTime"] = FormatTimestamp(file.create_ns);
  text["updateTime"] = FormatTimestamp(file.create_ns);
  text["expirationTime"] = FormatTimestamp(file.expire_ns);
  // The field is of bytes, and what the service stores in it is the hash as hex text.
  text["sha256Hash"] = Base64(file.sha256);
  text["uri"] = fmt::format("{}/v1beta/files/{}", base_url, file.id);
  if (file.generated) {
    text["downloadUri"] = fmt::format("{}/v1beta/files/{}:download?alt=media", base_url, file.id);
  }
  text["state"] = "ACTIVE";
  text["source"] = file.generated ? "GENERATED" : file.registered ? "REGISTERED" : "UPLOADED";
  return text.dump();
}

}  // namespace sluice
