#include "tools/emulator/uploads.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "io/json/json_document.h"
#include "tools/emulator/random_id.h"
#include "tools/emulator/state_file.h"

namespace sluice {

namespace {

using OrderedJson = nlohmann::ordered_json;

// As long as those seen on the wire.
constexpr size_t kUploadIdLength = 96;
// By which an upload's address is known wherever it should not be: see tests/leaks/leaks.py.
constexpr const char* kUploadIdStart = "emulated-upload-";

std::string DocumentText(const Upload& upload) {
  OrderedJson json{{"id", upload.id},
                   {"file_id", upload.file_id},
                   {"display_name", upload.display_name},
                   {"mime_type", upload.mime_type},
                   {"about", upload.about},
                   {"state", static_cast<int>(upload.state.load())}};
  if (upload.declared_size.has_value()) {
    json["declared_size"] = *upload.declared_size;
  }
  return json.dump();
}

std::shared_ptr<Upload> ParseUpload(const std::string& text) {
  const OrderedJson json = ParseOrderedJson(text);
  if (!json.is_object()) {
    return nullptr;
  }
  auto upload = std::make_shared<Upload>();
  upload->id = json.value("id", "");
  upload->file_id = json.value("file_id", "");
  upload->display_name = json.value("display_name", "");
  upload->mime_type = json.value("mime_type", "");
  upload->about = json.value("about", "");
  upload->state = static_cast<UploadState>(json.value("state", 0));
  if (json.contains("declared_size")) {
    upload->declared_size = json.value("declared_size", uint64_t{0});
  }
  return upload;
}

}  // namespace

Result<std::unique_ptr<Uploads>> Uploads::Open(FileSystem& files, std::string folder) {
  SLUICE_TRY(files.MakeFolders(folder));
  auto uploads = std::make_unique<Uploads>(files, std::move(folder));
  SLUICE_TRY(uploads->Load());
  return uploads;
}

Result<void> Uploads::Load() {
  SLUICE_ASSIGN(const auto names, files_.List(folder_));
  for (const std::string& name : names) {
    const std::string path = folder_ + "/" + name;
    if (!name.ends_with(".json")) {
      continue;
    }
    SLUICE_ASSIGN(const std::string text, ReadStateFile(files_, path));
    const std::shared_ptr<Upload> upload = ParseUpload(text);
    if (upload == nullptr) {
      return Fail(ErrorCode::kIo, fmt::format("'{}' is not a document of the service", path));
    }
    if (const auto stat = files_.Stat(DataPath(*upload)); stat.has_value()) {
      upload->received = stat->size;
    }
    uploads_[upload->id] = upload;
  }
  return {};
}

Result<std::shared_ptr<Upload>> Uploads::Start(std::shared_ptr<Upload> upload) {
  upload->id = std::string(kUploadIdStart) + RandomId(kUploadIdLength);
  SLUICE_TRY(files_.Open(DataPath(*upload), OpenMode::kCreate));
  SLUICE_TRY(Save(*upload));
  const std::scoped_lock lock(mutex_);
  uploads_[upload->id] = upload;
  return upload;
}

std::shared_ptr<Upload> Uploads::Find(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  const auto found = uploads_.find(id);
  return found == uploads_.end() ? nullptr : found->second;
}

Result<void> Uploads::Settle(const std::function<bool(const std::string& file_id)>& has_file) {
  for (const auto& [id, upload] : uploads_) {
    if (upload->state == UploadState::kActive && !files_.Exists(DataPath(*upload)) &&
        has_file(upload->file_id)) {
      upload->state = UploadState::kFinal;
      SLUICE_TRY(Save(*upload));
    }
  }
  return {};
}

void Uploads::Forget(const std::string& id) {
  const std::scoped_lock lock(mutex_);
  const auto found = uploads_.find(id);
  if (found != uploads_.end()) {
    (void)files_.Remove(DocumentPath(id));
    (void)files_.Remove(DataPath(*found->second));
    uploads_.erase(found);
  }
}

Result<void> Uploads::Save(const Upload& upload) {
  return ReplaceStateFile(files_, DocumentPath(upload.id), DocumentText(upload));
}

Result<std::unique_ptr<File>> Uploads::OpenData(const Upload& upload) {
  return files_.Open(DataPath(upload), OpenMode::kAppend);
}

Result<void> Uploads::Append(Upload& upload, File& file, std::span<const std::byte> bytes) {
  SLUICE_TRY(file.Write(bytes));
  upload.received += bytes.size();
  return {};
}

Result<void> Uploads::Truncate(Upload& upload, uint64_t size) {
  SLUICE_ASSIGN(auto file, OpenData(upload));
  SLUICE_TRY(file->Truncate(size));
  upload.received = size;
  return {};
}

std::string Uploads::DataPath(const Upload& upload) const {
  return fmt::format("{}/{}.data", folder_, upload.id);
}

std::string Uploads::DocumentPath(const std::string& id) const {
  return fmt::format("{}/{}.json", folder_, id);
}

}  // namespace sluice
