// CurlLibrary: the functions of libcurl, loaded when the first request is sent. libcurl brings 25
// libraries along and takes as long to load as all others together, half of the time before main();
// `prepare`, `status` and `verify` talk to nobody. Loaded once for a process and never given back.
// Any thread.
#pragma once

#include <curl/curl.h>

#include "io/base/error.h"

namespace sluice {

// What we use of it, each without its curl_.
#define SLUICE_CURL_FUNCTIONS(X) \
  X(easy_cleanup)                \
  X(easy_getinfo)                \
  X(easy_init)                   \
  X(easy_setopt)                 \
  X(easy_strerror)               \
  X(global_init)                 \
  X(multi_add_handle)            \
  X(multi_cleanup)               \
  X(multi_info_read)             \
  X(multi_init)                  \
  X(multi_perform)               \
  X(multi_poll)                  \
  X(multi_remove_handle)         \
  X(multi_strerror)              \
  X(multi_wakeup)                \
  X(slist_append)                \
  X(slist_free_all)              \
  X(strequal)

struct CurlLibrary {
#define SLUICE_DECLARE(name) decltype(&curl_##name) name = nullptr;
  SLUICE_CURL_FUNCTIONS(SLUICE_DECLARE)
#undef SLUICE_DECLARE
};

// Ready for use (curl_global_init); lives as long as the process. Errors: kIo, where it is not
// installed.
[[nodiscard]] Result<const CurlLibrary*> LoadCurl();

}  // namespace sluice
