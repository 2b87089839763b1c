#include "tools/emulator/create_faults.h"

#include <chrono>
#include <string_view>

namespace sluice {

JobFate DrawFate(Faults& faults) {
  if (faults.Happens(Fault::kStuckPending)) {
    return JobFate::kStuck;
  }
  if (faults.Happens(Fault::kExpire)) {
    return JobFate::kExpire;
  }
  return faults.Happens(Fault::kFailJob) ? JobFate::kFail : JobFate::kRun;
}

bool Pause(Service& service, Fault fault) {
  const std::chrono::milliseconds delay(service.faults.Number(fault));
  return service.clock.SleepUntil(service.clock.Now() + delay, service.stop);
}

RouteAnswer AnswerCreate(Service& service, Exchange& exchange,
                         const std::function<std::string()>& tell) {
  if (!service.faults.Happens(Fault::kCreateLost)) {
    return ApiAnswer(tell());
  }
  const std::string_view how = service.faults.Word(Fault::kCreateLost);
  if (how == "reset") {
    exchange.Abort();
    return std::nullopt;
  }
  if (how == "timeout") {
    exchange.Stall();
    return std::nullopt;
  }
  return std::unexpected(
      ApiError{.code = RpcCode::kUnavailable, .message = "The service is currently unavailable."});
}

}  // namespace sluice
