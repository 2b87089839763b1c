#include "engine/stage_times.h"

#include <algorithm>

namespace sluice {
namespace {

struct StageInfo {
  Step step;
  bool parallel;  // several blocks at once
};
constexpr std::array<StageInfo, kStageNames.size()> kStages = {{{Step::kPack, false},
                                                                {Step::kPack, true},
                                                                {Step::kPack, true},
                                                                {Step::kPack, false},
                                                                {Step::kSend, false},
                                                                {Step::kSend, false},
                                                                {Step::kMerge, false},
                                                                {Step::kMerge, true},
                                                                {Step::kMerge, true},
                                                                {Step::kMerge, false},
                                                                {Step::kClose, false}}};

std::string_view BoundOfStep(const StageTimes& times, Step step, size_t threads) {
  std::string_view bound;
  double longest = 0;
  for (size_t i = 0; i < kStages.size(); ++i) {
    const double lanes = kStages[i].parallel ? static_cast<double>(threads) : 1;
    const double spent = times.seconds(static_cast<Stage>(i)) / lanes;
    if (kStages[i].step == step && spent > longest) {
      longest = spent;
      bound = kStageNames[i];
    }
  }
  return bound;
}

}  // namespace

void StageTimes::Enter(Step step) {
  const std::scoped_lock lock(mutex_);
  Presence& presence = presences_[static_cast<size_t>(step)];
  if (presence.threads++ == 0) {
    presence.since = std::chrono::steady_clock::now();
  }
}

void StageTimes::Leave(Step step) {
  const std::scoped_lock lock(mutex_);
  Presence& presence = presences_[static_cast<size_t>(step)];
  if (--presence.threads == 0) {
    presence.spent += std::chrono::steady_clock::now() - presence.since;
  }
}

double StageTimes::seconds(Step step) const {
  const std::scoped_lock lock(mutex_);
  return std::chrono::duration<double>(presences_[static_cast<size_t>(step)].spent).count();
}

std::vector<StepTime> StepTimesOf(const StageTimes& times, size_t threads) {
  std::vector<StepTime> steps;
  for (size_t i = 0; i < kStepNames.size(); ++i) {
    const auto step = static_cast<Step>(i);
    const std::string_view bound = BoundOfStep(times, step, threads);
    if (!bound.empty()) {
      steps.push_back({.name = std::string(kStepNames[i]),
                       .seconds = times.seconds(step),
                       .bound = std::string(bound)});
    }
  }
  return steps;
}

std::string BoundOf(const std::vector<StepTime>& steps, double wall_seconds) {
  const auto longest = std::ranges::max_element(steps, {}, &StepTime::seconds);
  if (longest == steps.end()) {
    return {};
  }
  return longest->seconds < wall_seconds / 2 ? "service" : longest->bound;
}

}  // namespace sluice
