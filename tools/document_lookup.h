// From rows of an output back to the documents they were made of: the ids file says where each
// stands, and the corpus is read again at that place. One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/base/error.h"
#include "io/corpus/corpus.h"
#include "io/file/file_system.h"

namespace sluice {

struct DocumentPlace {
  uint64_t row = 0;
  std::string id;
  std::string file;   // as the corpus names it; "-" is standard input
  CorpusPlace place;  // line and offset
};

// The places of `rows`, in the order of `rows`. Reads the ids file once, up to the last of them.
// Errors: kInput when a row is not there or a line cannot be understood, kIo.
[[nodiscard]] Result<std::vector<DocumentPlace>> FindDocuments(FileSystem& files,
                                                               const std::string& ids_path,
                                                               std::span<const uint64_t> rows);

struct DocumentSource {
  std::map<std::string, std::string> paths;  // on this disk, by the names of the run's files
  std::string text_field = "text";
};

// The text of a document, read again; nothing when its file is gone, is standard input or does not
// hold such a record there any more.
[[nodiscard]] std::optional<std::string> ReadDocument(FileSystem& files,
                                                      const DocumentPlace& document,
                                                      const DocumentSource& source);

}  // namespace sluice
