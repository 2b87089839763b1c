#include "api/files/files_client.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

#include "api/files/range_download.h"
#include "api/files/resumable_upload.h"
#include "api/files/sha256.h"
#include "api/files/upload_body.h"
#include "api/files/upload_session.h"
#include "api/http/done_answer.h"
#include "io/file/atomic_file.h"

namespace sluice {
namespace {

constexpr size_t kFileIdMax = 40;  // google/ai/generativelanguage/v1beta/file.proto, 2026

bool IsFileId(std::string_view id) {
  return !id.empty() && id.size() <= kFileIdMax && id.front() != '-' && id.back() != '-' &&
         std::ranges::all_of(id, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

bool IsMimeTypeRefusal(const Error& error) {
  std::string message = error.message;
  std::ranges::transform(message, message.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return error.http_status == 400 && message.find("unsupported mime type") != std::string::npos;
}

bool IsTakenName(const Error& error) {
  return (error.http_status == 409 && error.code == ErrorCode::kConflict) ||
         (error.http_status == 400 && error.message.find("already exists") != std::string::npos);
}

// Whether the same upload can go on later where it stands.
bool MayGoOn(const Error& error) {
  return IsTransient(error.code) || error.code == ErrorCode::kUnfinished ||
         error.code == ErrorCode::kIo || error.code == ErrorCode::kAuth;
}

// Names are compared too: an answer about another file proves nothing about ours.
Result<RemoteFile> ReadFileNamed(const std::string& name, const HttpResponse& answer) {
  auto file = ParseRemoteFile(answer.body);
  if (!file) {
    file.error().message = fmt::format("{}: {}", name, file.error().message);
    return file;
  }
  if (file->name != name) {
    return Fail(ErrorCode::kBadAnswer, fmt::format("{}: the answer is about {}", name, file->name));
  }
  return file;
}

bool TellsContent(const RemoteFile& file) {
  return file.size_bytes.has_value() || !file.sha256_hash.empty();
}

}  // namespace

Result<void> CheckStored(const RemoteFile& file, uint64_t size, std::string_view sha256) {
  if (file.size_bytes && *file.size_bytes != size) {
    return Fail(ErrorCode::kBadAnswer, fmt::format("{}: the service stored {} bytes of {}",
                                                   file.name, *file.size_bytes, size));
  }
  if (!file.sha256_hash.empty() && !IsSameSha256(file.sha256_hash, sha256)) {
    return Fail(ErrorCode::kBadAnswer,
                fmt::format("{}: the service stored other bytes than were sent", file.name));
  }
  if (!TellsContent(file)) {
    return Fail(
        ErrorCode::kBadAnswer,
        fmt::format("{}: the service tells neither size nor hash of what it stored", file.name));
  }
  return {};
}

Result<UploadedFile> Files::Upload(const StageSource& source, const UploadOptions& options,
                                   std::stop_token stop) {
  if (!options.file_id.empty() && !IsFileId(options.file_id)) {
    return Fail(ErrorCode::kUsage,
                fmt::format("'{}' cannot be the id of a file (a-z, 0-9, dash, at most {})",
                            options.file_id, kFileIdMax));
  }
  const UploadSessionFile session_file(options.state_file,
                                       {.account = service_.AccountFingerprint(),
                                        .file_id = options.file_id,
                                        .display_name = options.display_name,
                                        .content = source.identity,
                                        .size = source.size});
  auto uploaded = UploadAsAnyType(source, options, session_file, stop);
  if (uploaded || !MayGoOn(uploaded.error())) {
    session_file.Remove();
  }
  return uploaded;
}

Result<UploadedFile> Files::UploadAsAnyType(const StageSource& source, const UploadOptions& options,
                                            const UploadSessionFile& session_file,
                                            const std::stop_token& stop) {
  size_t index = accepted_mime_type_;
  if (const auto begun = session_file.Load()) {
    const auto type = std::ranges::find(mime_types_, begun->mime_type);
    index = type == mime_types_.end() ? index : static_cast<size_t>(type - mime_types_.begin());
  }
  for (;; ++index) {
    auto uploaded = UploadAs(mime_types_[index], source, options, session_file, stop);
    if (uploaded) {
      accepted_mime_type_ = index;
      return uploaded;
    }
    if (!options.file_id.empty() && IsTakenName(uploaded.error())) {
      return Adopt(source, options, stop);
    }
    if (!IsMimeTypeRefusal(uploaded.error()) || index + 1 >= mime_types_.size()) {
      return uploaded;
    }
  }
}

Result<UploadedFile> Files::UploadFile(const std::string& path, const UploadOptions& options,
                                       std::stop_token stop) {
  SLUICE_ASSIGN(const StageSource source, SourceOfFile(path));
  return Upload(source, options, std::move(stop));
}

Result<UploadedFile> Files::UploadBytes(std::string bytes, const UploadOptions& options,
                                        std::stop_token stop) {
  return Upload(SourceOfBytes(std::move(bytes)), options, std::move(stop));
}

Result<UploadedFile> Files::UploadAs(const std::string& mime_type, const StageSource& source,
                                     const UploadOptions& options,
                                     const UploadSessionFile& session_file,
                                     const std::stop_token& stop) {
  const UploadRequest request{.file_id = options.file_id,
                              .display_name = options.display_name,
                              .mime_type = mime_type,
                              .progress = options.progress,
                              .session_file = &session_file};
  SLUICE_ASSIGN(UploadEnd end, ResumableUpload(service_, source, request, stop).Run());
  session_file.Remove();  // There is nothing left to go on with, even if the file turns out wrong.
  SLUICE_ASSIGN(RemoteFile file, ParseRemoteFile(end.answer));
  if (!options.file_id.empty() && file.name != "files/" + options.file_id) {
    return Fail(ErrorCode::kBadAnswer, fmt::format("upload of files/{}: the service stored {}",
                                                   options.file_id, file.name));
  }
  if (!TellsContent(file)) {
    SLUICE_ASSIGN(file, Get(file.name, stop));
  }
  if (auto stored = CheckStored(file, source.size, end.sha256); !stored) {
    // Nobody may use it; when this does not succeed, the name is taken by a file that differs.
    static_cast<void>(Delete(file.name, stop));
    return std::unexpected(std::move(stored).error());
  }
  return UploadedFile{.file = std::move(file), .sha256 = std::move(end.sha256)};
}

Result<UploadedFile> Files::Adopt(const StageSource& source, const UploadOptions& options,
                                  std::stop_token stop) const {
  const std::string name = "files/" + options.file_id;
  SLUICE_ASSIGN(RemoteFile file, Get(name, std::move(stop)));
  SLUICE_ASSIGN(const UploadBody body, UploadBody::Open(source, source.size));
  const std::string sha256 = body.digest().value_or("");
  // Here a size and a hash must be there: nothing else speaks for this file.
  if (file.size_bytes != source.size || !IsSameSha256(file.sha256_hash, sha256)) {
    return Fail(ErrorCode::kConflict, fmt::format("{} exists already, with another content", name));
  }
  return UploadedFile{.file = std::move(file), .sha256 = sha256};
}

Result<RemoteFile> Files::Get(const std::string& name, std::stop_token stop) const {
  SLUICE_TRY(CheckResourceName(name, "files"));
  return service_.Call<RemoteFile>(
      Repeat::kSafe, service_.Request("GET", "/" + name, std::move(stop)),
      [&](const HttpResponse& answer) { return ReadFileNamed(name, answer); });
}

Result<FilePage> Files::List(const ListFilesOptions& options, std::stop_token stop) const {
  std::string path = fmt::format("/files?pageSize={}", options.page_size);
  if (!options.page_token.empty()) {
    path += "&pageToken=" + EncodeQueryValue(options.page_token);
  }
  return service_.Call<FilePage>(
      Repeat::kSafe, service_.Request("GET", path, std::move(stop)),
      [&](const HttpResponse& answer) -> Result<FilePage> {
        SLUICE_ASSIGN(FilePage page, ParseFilePage(answer.body));
        SLUICE_TRY(CheckNextPage("GET files", options.page_token, page.next_page_token));
        return page;
      });
}

PagedList<RemoteFile> Files::ListAll(const ListFilesOptions& options, std::stop_token stop) const {
  const auto fetch = [service = &service_, options, stop = std::move(stop)](
                         const std::string& page_token) -> Result<PagedList<RemoteFile>::Page> {
    ListFilesOptions page_options = options;
    page_options.page_token = page_token;
    SLUICE_ASSIGN(FilePage page, Files(*service).List(page_options, stop));
    return PagedList<RemoteFile>::Page{.items = std::move(page.files),
                                       .next_page_token = std::move(page.next_page_token)};
  };
  return PagedList<RemoteFile>(fetch, options.page_token);
}

Result<void> Files::Delete(const std::string& name, std::stop_token stop) const {
  SLUICE_TRY(CheckResourceName(name, "files"));
  return service_.Call<void>(Repeat::kSafe, service_.Request("DELETE", "/" + name, std::move(stop)),
                             [](const HttpResponse& answer) { return CheckDone(answer); });
}

Result<RemoteFile> Files::WaitActive(const std::string& name, const std::stop_token& stop) const {
  constexpr std::chrono::milliseconds kPauseMax{10'000};
  Clock& clock = service_.clock();
  const MonotonicTime deadline = clock.Now() + std::chrono::minutes(10);
  for (std::chrono::milliseconds pause{500};; pause = std::min(pause * 2, kPauseMax)) {
    SLUICE_ASSIGN(RemoteFile file, Get(name, stop));
    if (file.state == FileState::kFailed) {
      return Fail(
          ErrorCode::kRemoteFailed,
          fmt::format("{}: the service could not process the file: {}", name, file.error_message));
    }
    if (file.state != FileState::kProcessing) {
      return file;
    }
    if (clock.Now() >= deadline) {
      return Fail(ErrorCode::kUnavailable,
                  fmt::format("{}: the file is still being processed", name));
    }
    if (!clock.SleepUntil(clock.Now() + pause, stop)) {
      return Fail(ErrorCode::kUnfinished, fmt::format("{}: stopped", name));
    }
  }
}

Result<uint64_t> Files::Download(const std::string& name, uint64_t bytes_max,
                                 const BodyWriter& writer,
                                 const std::function<Result<void>()>& restart,
                                 std::stop_token stop) const {
  SLUICE_TRY(CheckResourceName(name, "files"));
  HttpRequest request =
      service_.Request("GET", fmt::format("/{}:download?alt=media", name), std::move(stop));
  request.answer_bytes_max = bytes_max;
  return RangeDownload(service_, std::move(request), writer, restart).Run();
}

Result<uint64_t> Files::DownloadFile(const std::string& name, const std::string& path,
                                     std::stop_token stop, uint64_t bytes_max) const {
  const auto files = MakePosixFileSystem();
  std::optional<AtomicFile> file;
  const auto begin = [&]() -> Result<void> {
    file.reset();
    Result<AtomicFile> created = AtomicFile::Create(*files, path);
    if (!created.has_value()) {
      // A folder that is not there must not look like a file that the service does not have.
      ErrorCode& code = created.error().code;
      code = code == ErrorCode::kNotFound ? ErrorCode::kUsage : code;
      return std::unexpected(std::move(created).error());
    }
    file.emplace(*std::move(created));
    return {};
  };
  SLUICE_TRY(begin());
  const BodyWriter writer = [&](std::span<const std::byte> bytes) { return file->Write(bytes); };
  SLUICE_ASSIGN(const uint64_t size, Download(name, bytes_max, writer, begin, std::move(stop)));
  SLUICE_TRY(file->Commit());
  return size;
}

}  // namespace sluice
