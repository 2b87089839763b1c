// A ledger of any bytes (a whole SQLite file, or the log beside a good one when the first byte is
// 'W'): opened and read, or refused with an error.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "engine/ledger.h"
#include "io/file/file_system.h"
#include "tests/support/temp_folder.h"

namespace {

void ReadAll(sluice::Ledger& ledger) {
  std::ignore = ledger.Get("settings");
  std::ignore = ledger.Tracks();
  std::ignore = ledger.Merges();
  std::ignore = ledger.JobNames();
}

void WriteSome(sluice::Ledger& ledger) {
  std::ignore = ledger.Set("state", "x");
  sluice::ShardTrack track;
  track.shard = 1;
  track.rows = 3;
  std::ignore = ledger.Save(track);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const sluice::TempFolder folder;
  static const auto files = sluice::MakePosixFileSystem();
  const std::string path = folder.Path("ledger.db");
  for (const char* ending : {"", "-wal", "-shm", "-journal"}) {
    std::ignore = files->Remove(path + ending);
  }
  std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.starts_with('W')) {
    {
      auto good = sluice::Ledger::Open(path);
      WriteSome(*good);
    }
    text.remove_prefix(1);
    std::ignore = folder.Write("ledger.db-wal", text);
  } else {
    std::ignore = folder.Write("ledger.db", text);
  }
  auto ledger = sluice::Ledger::Open(path);
  if (ledger.has_value()) {
    ReadAll(*ledger);
    WriteSome(*ledger);
    ReadAll(*ledger);
  }
  return 0;
}
