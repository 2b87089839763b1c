#include "tools/signals.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <utility>

#include "io/base/error.h"

namespace sluice {
namespace {

// A blocked signal reaches a signalfd even when it is ignored, so those are left out by hand.
sigset_t WatchedSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) {
    struct sigaction action{};
    if (sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) {
      sigaddset(&set, signal);
    }
  }
  return set;
}

}  // namespace

Signals::Signals() {
  const sigset_t set = WatchedSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal_descriptor_ = signalfd(-1, &set, SFD_CLOEXEC);
  wake_descriptor_ = eventfd(0, EFD_CLOEXEC);
  SLUICE_CHECK(signal_descriptor_ >= 0 && wake_descriptor_ >= 0, "cannot watch signals");
  thread_ = std::jthread([this] { Watch(); });
}

Signals::~Signals() {
  const uint64_t one = 1;
  SLUICE_CHECK(write(wake_descriptor_, &one, sizeof(one)) == sizeof(one), "cannot end the watch");
  thread_.join();
  close(signal_descriptor_);
  close(wake_descriptor_);
}

void Signals::OnStop(std::function<void()> call) {
  const std::scoped_lock lock(mutex_);
  on_stop_ = std::move(call);
}

void Signals::OnInfo(std::function<void()> call) {
  const std::scoped_lock lock(mutex_);
  on_info_ = std::move(call);
}

void Signals::Watch() {
  std::array<pollfd, 2> watched = {pollfd{.fd = signal_descriptor_, .events = POLLIN, .revents = 0},
                                   pollfd{.fd = wake_descriptor_, .events = POLLIN, .revents = 0}};
  while (true) {
    if (poll(watched.data(), watched.size(), -1) < 0) {
      SLUICE_CHECK(errno == EINTR, "cannot wait for signals");
      continue;
    }
    if ((watched[1].revents & POLLIN) != 0) {
      return;
    }
    signalfd_siginfo info{};
    if ((watched[0].revents & POLLIN) != 0 &&
        read(signal_descriptor_, &info, sizeof(info)) == sizeof(info)) {
      Handle(static_cast<int>(info.ssi_signo));
    }
  }
}

void Signals::Handle(int signal) {
  const bool stops = signal != SIGUSR1;
  if (stops && received_.exchange(signal) != 0) {
    _exit(128 + signal);
  }
  {
    const std::scoped_lock lock(mutex_);
    const auto& call = stops ? on_stop_ : on_info_;
    if (call) {
      call();
    }
  }
  if (stops) {
    stop_.request_stop();
  }
}

}  // namespace sluice
