#include "tools/emulator/journal.h"

#include "io/json/json_text.h"
#include "tools/emulator/timestamp.h"

namespace sluice {

Result<std::unique_ptr<Journal>> Journal::Open(FileSystem& files, const std::string& path,
                                               Clock& clock) {
  SLUICE_ASSIGN(auto file, files.Open(path, OpenMode::kAppend));
  return std::make_unique<Journal>(std::move(file), clock);
}

void Journal::Note(std::string_view event,
                   std::initializer_list<std::pair<std::string_view, std::string>> members) {
  std::string line = "{\"time\":";
  AppendJsonString(line, FormatTimestamp(UnixNanoseconds(clock_.WallNow())));
  line += ",\"event\":";
  AppendJsonString(line, event);
  for (const auto& [name, value] : members) {
    line += ',';
    AppendJsonString(line, name);
    line += ':';
    AppendJsonString(line, value);
  }
  line += "}\n";
  const std::scoped_lock lock(mutex_);
  (void)file_->Write(AsBytes(line));
}

}  // namespace sluice
