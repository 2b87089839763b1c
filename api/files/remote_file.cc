#include "api/files/remote_file.h"

#include <nlohmann/json.hpp>

#include "api/http/google_service.h"
#include "api/http/json_fields.h"
#include "io/json/json_document.h"

namespace sluice {
namespace {

using Json = nlohmann::json;

FileState ParseFileState(std::string_view text) {
  if (text == "PROCESSING") {
    return FileState::kProcessing;
  }
  if (text == "ACTIVE") {
    return FileState::kActive;
  }
  return text == "FAILED" ? FileState::kFailed : FileState::kUnspecified;
}

Result<RemoteFile> ReadFile(const Json& object) {
  RemoteFile file;
  file.name = TextMember(object, "name");
  if (!IsResourceName(file.name, "files")) {
    return Fail(ErrorCode::kBadAnswer, "the answer is not a file with a well-formed name");
  }
  file.display_name = TextMember(object, "displayName");
  file.mime_type = TextMember(object, "mimeType");
  if (const auto size = IntegerMember(object, "sizeBytes"); size && *size >= 0) {
    file.size_bytes = static_cast<uint64_t>(*size);
  }
  file.sha256_hash = TextMember(object, "sha256Hash");
  file.create_time = TextMember(object, "createTime");
  file.update_time = TextMember(object, "updateTime");
  file.expiration_time = TextMember(object, "expirationTime");
  file.uri = TextMember(object, "uri");
  file.source = TextMember(object, "source");
  file.raw_state = TextMember(object, "state");
  file.state = ParseFileState(file.raw_state);
  file.error_message = TextMember(ObjectMember(object, "error"), "message");
  return file;
}

}  // namespace

Result<RemoteFile> ParseRemoteFile(std::string_view json) {
  const Json answer = ParseJson(json);
  const Json* wrapped = FindMember(answer, "file");
  return ReadFile(wrapped != nullptr ? *wrapped : answer);
}

Result<FilePage> ParseFilePage(std::string_view json) {
  const Json answer = ParseJson(json);
  const Json* files = FindMember(answer, "files");
  if (!answer.is_object() || FindMember(answer, "error") != nullptr ||
      (files != nullptr && !files->is_array())) {
    return Fail(ErrorCode::kBadAnswer, "the answer is not a list of files");
  }
  FilePage page;
  page.next_page_token = TextMember(answer, "nextPageToken");
  for (const Json& object : files != nullptr ? *files : Json::array()) {
    SLUICE_ASSIGN(RemoteFile file, ReadFile(object));
    page.files.push_back(std::move(file));
  }
  return page;
}

}  // namespace sluice
