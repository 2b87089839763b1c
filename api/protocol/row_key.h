// RowKey: the key that an answer line sends back, taken over into the Reply. Scratch of one
// decoder.
#pragma once

#include <string>
#include <string_view>

#include "api/protocol/line_protocol.h"
#include "io/json/record_scanner.h"

namespace sluice {

class RowKey {
 public:
  // `token` is the key as JSON, or empty. What is no string is no key of ours. The reply's view
  // lives until the next call and as long as `token`.
  void Read(std::string_view token, Reply& reply) {
    if (!token.starts_with('"')) {
      return;
    }
    reply.key = token.substr(1, token.size() - 2);
    if (reply.key.find('\\') != std::string_view::npos) {
      unescaped_ = UnescapeJsonString(token);
      reply.key = unescaped_;
    }
    reply.ordinal = ParseKey(reply.key);
  }

 private:
  std::string unescaped_;
};

}  // namespace sluice
