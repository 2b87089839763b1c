// Journal: an append-only record, one JSON object a line, of every request that cost or changed
// something. Survives kill -9 up to the last line. Never holds a key or an upload URL. Thread-safe.
#pragma once

#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "io/base/clock.h"
#include "io/base/error.h"
#include "io/file/file_system.h"

namespace sluice {

class Journal {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Journal>> Open(FileSystem& files,
                                                             const std::string& path, Clock& clock);
  Journal(std::unique_ptr<File> file, Clock& clock) : file_(std::move(file)), clock_(clock) {}

  // {"time": ..., "event": EVENT, then the members}. A disk that is full is not an error here: the
  // journal is for looking, nothing leans on it.
  void Note(std::string_view event,
            std::initializer_list<std::pair<std::string_view, std::string>> members);

 private:
  std::unique_ptr<File> file_;
  Clock& clock_;
  std::mutex mutex_;
};

}  // namespace sluice
