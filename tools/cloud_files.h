// CloudFiles: the file system of a command whose inputs and outputs may be objects of Cloud
// Storage. Signs in when the first object is looked at, and never without one. Thread-safe.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "api/storage/object_name.h"
#include "io/base/clock.h"
#include "io/base/error.h"
#include "io/file/file_system.h"

namespace sluice {

class CloudFiles {
 public:
  // `clock` must outlive the object.
  CloudFiles(Clock& clock, std::stop_token stop);
  ~CloudFiles();
  CloudFiles(const CloudFiles&) = delete;
  CloudFiles& operator=(const CloudFiles&) = delete;

  // This disk, and objects by their addresses; see api/storage/object_file_system.h.
  [[nodiscard]] FileSystem& files();

  // Writes the files at `paths` to objects: the first one as `target`, the others beside it under
  // their own names. Objects that are there are replaced; the addresses are the value. Errors: as
  // StorageClient::Upload() and FindDefaultCredentials().
  [[nodiscard]] Result<std::vector<std::string>> Publish(const std::vector<std::string>& paths,
                                                         const ObjectName& target);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sluice
