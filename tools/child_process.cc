#include "tools/child_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <spawn.h>
#include <string_view>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice {
namespace {

std::vector<char*> Pointers(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const std::string& word : words) {
    pointers.push_back(const_cast<char*>(word.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> WholeEnvironment(const std::vector<std::string>& more) {
  std::vector<std::string> all = more;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view ours = *entry;
    const std::string_view name = ours.substr(0, ours.find('=') + 1);
    const auto same = [name](const std::string& other) { return other.starts_with(name); };
    if (std::ranges::none_of(more, same)) {
      all.emplace_back(ours);
    }
  }
  return all;
}

// In a process group of its own, so that all of it can be killed, with signals as a program
// expects them.
Result<pid_t> Start(const ChildProcess& child, int output) {
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_init(&actions);
  sigset_t none;
  sigset_t ignored;
  sigemptyset(&none);
  sigemptyset(&ignored);
  sigaddset(&ignored, SIGPIPE);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &ignored);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (output >= 0) {
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  } else {
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  }
  const std::vector<std::string> environment = WholeEnvironment(child.environment);
  pid_t process = 0;
  const int error = posix_spawn(&process, child.words.front().c_str(), &actions, &attributes,
                                Pointers(child.words).data(), Pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    return std::unexpected(SystemError("start", child.words.front(), error));
  }
  return process;
}

std::string ReadAll(int descriptor) {
  std::string text;
  std::array<char, 4096> piece;
  while (true) {
    const ssize_t size = read(descriptor, piece.data(), piece.size());
    if (size < 0 && errno == EINTR) {
      continue;
    }
    if (size <= 0) {
      return text;
    }
    text.append(piece.data(), static_cast<size_t>(size));
  }
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

// Its number may be another process's as soon as it was waited for: till then it may be killed.
void AwaitEnd(pid_t process, const std::stop_token& stop) {
  const std::stop_callback kill_it(stop, [process] { kill(-process, SIGKILL); });
  siginfo_t info;
  while (waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | WNOWAIT) != 0 &&
         errno == EINTR) {
  }
}

}  // namespace

Result<EndedProcess> RunChild(const ChildProcess& child, std::stop_token stop) {
  std::array<int, 2> ends = {-1, -1};
  if (child.keep_output && pipe2(ends.data(), O_CLOEXEC) != 0) {
    return std::unexpected(SystemError("make", "a pipe", errno));
  }
  const auto begin = std::chrono::steady_clock::now();
  const Result<pid_t> process = Start(child, ends[1]);
  EndedProcess ended;
  if (child.keep_output) {
    close(ends[1]);
    if (process.has_value()) {
      const std::stop_callback kill_it(stop, [&] { kill(-*process, SIGKILL); });
      ended.output = ReadAll(ends[0]);
    }
    close(ends[0]);
  }
  SLUICE_TRY(process);
  AwaitEnd(*process, stop);
  int status = 0;
  rusage usage{};
  SLUICE_CHECK(wait4(*process, &status, 0, &usage) == *process, "a child is gone");
  ended.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  ended.cpu_seconds = Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
  ended.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (stop.stop_requested()) {
    return Fail(ErrorCode::kUnfinished, "stopped");
  }
  return ended;
}

}  // namespace sluice
