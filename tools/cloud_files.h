// CloudFiles: the file system of a command whose inputs and outputs may be objects of Cloud
// Storage. Signs in when the first object is looked at, and never without one. Thread-safe, but for
// ServedBy().
#pragma once

#include <functional>
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

  // Who tells where the objects are, when the first one is looked at: what serves Vertex AI serves
  // Cloud Storage, too. Empty: the service's own address. STORAGE_EMULATOR_HOST goes before it.
  void ServedBy(std::function<std::string()> address);

  // This disk, and objects by their addresses; see api/storage/object_file_system.h.
  [[nodiscard]] FileSystem& files();

  // Whether objects can be written beside `target`, as far as that is told without writing one: the
  // sign-in holds and the bucket is there. Errors: as Publish().
  [[nodiscard]] Result<void> ExpectPlace(const ObjectName& target);

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
