// TablesWire: Vertex AI whose jobs read and write tables of BigQuery, as far as a run goes. Two
// jobs that are to write one table get it in turn: the first that ends has it, and the other fails.
// One thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "tests/engine/simulation/vertex_wire.h"

namespace sluice {

class TablesWire final : public VertexWire {
 public:
  using VertexWire::VertexWire;

  [[nodiscard]] Result<std::unique_ptr<Provider>> MakeProvider() override;

 protected:
  [[nodiscard]] HttpResponse AnswerStore(const WireRequest& request) override;

 private:
  struct Load {
    std::string table;
    std::map<std::string, std::string> labels;
    std::string failure;  // why it failed, if it did
    MonotonicTime ends;
  };

  [[nodiscard]] static HttpResponse NotFound(std::string_view what);
  [[nodiscard]] HttpResponse AnswerDatasets(const WireRequest& request, std::string_view path);
  [[nodiscard]] HttpResponse AnswerTables(const WireRequest& request, std::string_view name);
  [[nodiscard]] HttpResponse StartLoad(const WireRequest& request);
  [[nodiscard]] std::string DoLoad(const std::string& table, const std::string& rows);
  [[nodiscard]] HttpResponse GetLoad(const std::string& id) const;
  [[nodiscard]] HttpResponse ListRows(const WireRequest& request, const SimulatedAnswers& answers);
  // What the job that has the table wrote into it, once it has ended.
  [[nodiscard]] std::optional<SimulatedAnswers> FindAnswers(const std::string& table);

  bool has_dataset_ = false;
  std::set<std::string> tables_;  // that were loaded
  std::map<std::string, Load> loads_;
};

}  // namespace sluice
