// Files of sign-ins, what token services say, and what Cloud Storage says: each parser gives a
// value or an Error, and what it gives can be used without another look.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/auth/credential_file.h"
#include "api/auth/token_service.h"
#include "api/http/url.h"
#include "api/storage/object_name.h"
#include "api/storage/remote_object.h"

namespace {

void Expect(bool condition) {
  if (!condition) {
    std::abort();
  }
}

bool IsPlain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; });
}

// No secret leaves for an address that could be read by others.
void ExpectSafe(const std::string& url) {
  const auto origin = sluice::ParseOrigin(url);
  Expect(origin && (origin->scheme == "https" || sluice::IsLoopback(*origin)));
}

void ExpectCredentials(const sluice::CredentialFile& file) {
  Expect(IsPlain(file.quota_project) && IsPlain(file.project_id));
  std::visit([](const auto& account) { ExpectSafe(account.token_url); }, file.account);
  if (const auto* external = std::get_if<sluice::ExternalAccount>(&file.account)) {
    Expect(!external->source.file.empty() || !external->source.url.empty());
    if (!external->impersonation_url.empty()) {
      ExpectSafe(external->impersonation_url);
    }
  }
}

void ExpectToken(const sluice::FreshToken& token) {
  Expect(!token.value.empty() && IsPlain(token.value));
  Expect(token.life.count() >= 0 && token.life <= std::chrono::hours(12));
}

void ExpectObject(const sluice::RemoteObject& object) {
  Expect(sluice::IsBucketName(object.name.bucket) && sluice::IsObject(object.name.object));
  const auto again = sluice::ParseObjectUri(sluice::FormatObjectUri(object.name));
  Expect(again && *again == object.name);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = sluice::ParseCredentialFile(text);
  if (file) {
    ExpectCredentials(*file);
  } else {
    Expect(file.error().code == sluice::ErrorCode::kAuth && IsPlain(file.error().message));
  }
  if (const auto token = sluice::ParseTokenAnswer(text)) {
    ExpectToken(*token);
  }
  if (const auto token = sluice::ParseImpersonationAnswer(text, sluice::WallTime{})) {
    ExpectToken(*token);
  }
  if (const auto object = sluice::ParseRemoteObject(text)) {
    ExpectObject(*object);
  }
  if (const auto page = sluice::ParseObjectPage(text)) {
    std::ranges::for_each(page->objects, ExpectObject);
  }
  if (const auto name = sluice::ParseObjectUri(text)) {
    Expect(sluice::FormatObjectUri(*name) == text);
  }
  return 0;
}
