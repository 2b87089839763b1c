// Findings: what a look at a run's files found wrong, and what it could not look at. One thread at
// a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

struct Problem {
  std::string
      where;  // a file as the run folder or the user names it, with its line where that helps
  std::string what;  // a clause with what was expected
};

class Findings {
 public:
  static constexpr size_t kProblemsKept = 100;

  void AddProblem(std::string where, std::string what) {
    ++problem_count_;
    if (problems_.size() < kProblemsKept) {
      problems_.push_back({.where = std::move(where), .what = std::move(what)});
    }
  }
  // What is not there yet, or not any more, or cannot be looked at.
  void AddNote(std::string note) { notes_.push_back(std::move(note)); }

  // The first ones.
  [[nodiscard]] const std::vector<Problem>& problems() const { return problems_; }
  [[nodiscard]] uint64_t problem_count() const { return problem_count_; }
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

 private:
  std::vector<Problem> problems_;
  uint64_t problem_count_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace sluice
