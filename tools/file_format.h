// Files at the service, shown to people and to programs (docs/cli.md). Pure.
#pragma once

#include <span>
#include <string>

#include "api/files/remote_file.h"
#include "tools/terminal.h"

namespace sluice {

[[nodiscard]] std::string FormatFile(const RemoteFile& file);
[[nodiscard]] std::string FormatFileTable(std::span<const RemoteFile> files);

// {"v":1,"type":"file","file":{...}}, a line. `sha256`: of the bytes that were sent, when they
// were.
[[nodiscard]] std::string FormatFileAsJson(const RemoteFile& file, const std::string& sha256,
                                           const Terminal& terminal);
[[nodiscard]] std::string FormatFilesAsJson(std::span<const RemoteFile> files,
                                            const std::string& next_page_token,
                                            const Terminal& terminal);

}  // namespace sluice
