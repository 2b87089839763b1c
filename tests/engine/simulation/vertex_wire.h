// VertexWire: the wire of Vertex AI's batch prediction jobs and of Cloud Storage, as far as a run
// goes; a subclass may store things elsewhere. A job is made whether or not its source is there,
// and fails when it is not: the object is read when the job begins. One thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/engine/simulation/simulated_wire.h"

namespace sluice {

// What a job was asked for, beside what the account book keeps.
struct AskedJob {
  std::string model, destination, label;
};

class VertexWire : public SimulatedWire {
 public:
  using SimulatedWire::SimulatedWire;

  [[nodiscard]] static SimulatedHabits Habits();
  [[nodiscard]] Result<std::unique_ptr<Provider>> MakeProvider() override;

 protected:
  [[nodiscard]] HttpResponse Answer(const WireRequest& request) override;
  [[nodiscard]] bool MakesJob(const WireRequest& request) const override;
  [[nodiscard]] std::optional<HttpResponse> RefusalToMakeJob() override;
  [[nodiscard]] bool HasChecksums() const override { return true; }

  // What is asked of the service that stores requests and answers.
  [[nodiscard]] virtual HttpResponse AnswerStore(const WireRequest& request);
  // Of a provider that has signed in, and has no place for things yet.
  [[nodiscard]] ProviderOptions VertexOptions();
  [[nodiscard]] const AskedJob& Asked(const std::string& job) const { return asked_.at(job); }
  // A refusal as Cloud Storage and BigQuery write it.
  [[nodiscard]] static HttpResponse Classic(int status, const char* reason,
                                            const std::string& message);

 private:
  class Tokens;
  struct Object {
    std::string name, bytes;
    int64_t generation = 0;
    MonotonicTime created;
  };
  struct Upload {
    std::string name, received;
    uint64_t size = 0;
    bool must_be_new = false;
    std::string stored;  // what was said when it ended
  };

  // Gives up a token now and then, but none that was not used before.
  [[nodiscard]] bool HasEnded(const WireRequest& request);

  [[nodiscard]] HttpResponse AnswerJobs(const WireRequest& request, std::string_view name);
  [[nodiscard]] HttpResponse CreateJob(const WireRequest& request);
  [[nodiscard]] HttpResponse ListJobs(const WireRequest& request) const;
  [[nodiscard]] HttpResponse GetJob(const std::string& name);
  [[nodiscard]] HttpResponse CancelJob(const std::string& name);

  [[nodiscard]] static HttpResponse NoSuchObject(const std::string& name);
  [[nodiscard]] static HttpResponse ConditionNotMet();
  [[nodiscard]] HttpResponse StartUpload(const WireRequest& request);
  [[nodiscard]] HttpResponse GoOnWithUpload(const WireRequest& request);
  [[nodiscard]] HttpResponse EndUpload(Upload& upload);
  [[nodiscard]] HttpResponse ListObjects(const WireRequest& request) const;
  [[nodiscard]] HttpResponse GetObject(const WireRequest& request, const std::string& name) const;
  [[nodiscard]] HttpResponse DeleteObject(const WireRequest& request, const std::string& name);
  // Those whose names begin so: what was uploaded, and what jobs that ended have written.
  [[nodiscard]] std::vector<Object> Objects(const std::string& prefix) const;
  void Keep(const std::string& name, const std::string& bytes);

  std::shared_ptr<Tokens> tokens_;
  std::set<std::string> used_tokens_, ended_tokens_;
  std::map<std::string, Object> objects_;  // that were uploaded
  std::vector<Upload> uploads_;
  std::map<std::string, AskedJob> asked_;  // by the job's name
  int64_t generations_ = 0;
};

}  // namespace sluice
