#include "api/files/upload_session.h"

#include <nlohmann/json.hpp>
#include <tuple>

#include "api/http/json_fields.h"
#include "io/file/atomic_file.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

constexpr int kFormat = 1;
constexpr uint64_t kFileBytesMax = uint64_t{64} << 10;

}  // namespace

UploadSessionFile::UploadSessionFile(std::string path, UploadIdentity identity)
    : path_(std::move(path)), identity_(std::move(identity)) {}

std::optional<UploadSession> UploadSessionFile::Load() const {
  if (path_.empty()) {
    return std::nullopt;
  }
  const auto text = ReadWholeFile(*files_, path_, kFileBytesMax);
  const Json json = text ? ParseJson(*text) : Json();
  const UploadIdentity identity{
      .account = TextMember(json, "account"),
      .file_id = TextMember(json, "fileId"),
      .display_name = TextMember(json, "displayName"),
      .content = TextMember(json, "content"),
      .size = static_cast<uint64_t>(IntegerMember(json, "size").value_or(0))};
  UploadSession session{.url = TextMember(json, "url"), .mime_type = TextMember(json, "mimeType")};
  if (IntegerMember(json, "v") != kFormat || identity != identity_ || session.url.empty()) {
    return std::nullopt;
  }
  return session;
}

Result<void> UploadSessionFile::Save(const UploadSession& session) const {
  if (path_.empty()) {
    return {};
  }
  const Json json = {{"v", kFormat},
                     {"account", identity_.account},
                     {"fileId", identity_.file_id},
                     {"displayName", identity_.display_name},
                     {"content", identity_.content},
                     {"size", identity_.size},
                     {"mimeType", session.mime_type},
                     {"url", session.url}};
  return WriteFileAtomically(*files_, path_,
                             json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n');
}

void UploadSessionFile::Remove() const {
  if (!path_.empty()) {
    std::ignore = files_->Remove(path_);
  }
}

}  // namespace sluice
