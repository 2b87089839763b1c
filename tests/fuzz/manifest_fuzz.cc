// A manifest of any bytes: read or refused, and what is read makes sense: shards in order, without
// gaps, under their own names. Opened, it says the same, and again after it was opened.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "io/shard/manifest.h"
#include "io/shard/shard_file.h"
#include "tests/support/temp_folder.h"

namespace {

void Expect(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void ExpectSense(const sluice::Manifest& manifest) {
  sluice::PackPosition before;
  for (const sluice::ShardEntry& entry : manifest.shards()) {
    Expect(entry.range.first == before.next && entry.range.count > 0);
    Expect(entry.after.next == entry.range.first + entry.range.count);
    Expect(entry.file == sluice::ShardFileName(entry.shard, true) ||
           entry.file == sluice::ShardFileName(entry.shard, false));
    Expect(entry.after.ids_bytes >= before.ids_bytes && entry.after.rejected >= before.rejected);
    before = entry.after;
  }
  Expect(manifest.position().next == before.next);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const sluice::TempFolder folder;
  static const auto files = sluice::MakePosixFileSystem();
  const std::string path = folder.Write("manifest", {reinterpret_cast<const char*>(data), size});
  const auto read = sluice::Manifest::Read(*files, path);
  const auto opened = sluice::Manifest::Open(*files, path);
  Expect(read.has_value() == opened.has_value());
  if (!read.has_value()) {
    return 0;
  }
  ExpectSense(*read);
  const auto again = sluice::Manifest::Read(*files, path);
  Expect(again.has_value() && again->shards().size() == read->shards().size() &&
         again->end().has_value() == read->end().has_value());
  return 0;
}
