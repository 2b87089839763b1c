#include "api/http/curl_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include "io/base/exhaustion.h"

namespace sluice {
namespace {

// The interface that curl/curl.h describes since version 7.16.
constexpr const char* kFileName = "libcurl.so.4";

std::unexpected<Error> CannotLoad() {
  return Fail(ErrorCode::kIo, fmt::format("libcurl cannot be loaded: {}", dlerror()),
              "install it (Debian: apt install libcurl4); the same command goes on");
}

Result<CurlLibrary> Load() {
  void* const file = dlopen(kFileName, RTLD_NOW);
  if (file == nullptr) {
    return CannotLoad();
  }
  CurlLibrary library;
#define SLUICE_FIND(name)                                                              \
  library.name = reinterpret_cast<decltype(library.name)>(dlsym(file, "curl_" #name)); \
  if (library.name == nullptr) {                                                       \
    return CannotLoad();                                                               \
  }
  SLUICE_CURL_FUNCTIONS(SLUICE_FIND)
#undef SLUICE_FIND
  // It fails for nothing else.
  RequireMemory(library.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
  return library;
}

}  // namespace

Result<const CurlLibrary*> LoadCurl() {
  static const Result<CurlLibrary> library = Load();
  if (!library.has_value()) {
    return std::unexpected(library.error());
  }
  return &*library;
}

}  // namespace sluice
