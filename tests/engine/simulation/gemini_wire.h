// GeminiWire: the wire of the Gemini Developer API's batches and files, as far as a run goes. A
// file that is gone makes no job. One thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/engine/simulation/simulated_wire.h"

namespace sluice {

class GeminiWire final : public SimulatedWire {
 public:
  using SimulatedWire::SimulatedWire;

  [[nodiscard]] static SimulatedHabits Habits() { return {}; }
  [[nodiscard]] Result<std::unique_ptr<Provider>> MakeProvider() override;

 protected:
  [[nodiscard]] HttpResponse Answer(const WireRequest& request) override;
  [[nodiscard]] bool MakesJob(const WireRequest& request) const override;
  // Downloads have none. A real run fetches answers that lack rows once more, but the disk of the
  // simulation does not.
  [[nodiscard]] bool HasChecksums() const override { return false; }

 private:
  struct Upload {
    std::string name, received;
    uint64_t size = 0;
    bool is_final = false;
  };

  [[nodiscard]] HttpResponse CreateJob(const WireRequest& request);
  [[nodiscard]] HttpResponse ListJobs(const WireRequest& request) const;
  [[nodiscard]] HttpResponse AnswerJob(const WireRequest& request, const std::string& name);

  [[nodiscard]] HttpResponse StartUpload(const WireRequest& request);
  [[nodiscard]] HttpResponse GoOnWithUpload(const WireRequest& request);
  [[nodiscard]] HttpResponse AnswerFile(const WireRequest& request, const std::string& name);
  [[nodiscard]] HttpResponse Download(const WireRequest& request, const std::string& name) const;
  void Keep(const std::string& name, const std::string& bytes);
  [[nodiscard]] std::string FileText(const std::string& name) const;

  std::map<std::string, std::string> files_;  // what was uploaded, also when it is gone
  std::vector<Upload> uploads_;
};

}  // namespace sluice
