"""What a command costs on this machine, and whether the machine was quiet meanwhile."""

import dataclasses
import os
import shutil
import subprocess

RUN_ONCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run_once.py")
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
# A run counts when everything else used less than this share of a core. The kernel counts in ticks of a
# hundredth of a second, so a short run may be off by two of them on two cores.
DISTURBED_SHARE = 0.10
TICK_SLACK_S = 0.03


@dataclasses.dataclass(frozen=True)
class Run:
    wall: float  # seconds
    cpu: float  # user and system seconds of the command and all that it started
    peak: float  # resident bytes of its largest process
    size: int  # bytes of the result
    others: float  # seconds of processor time that the rest of the machine used

    @property
    def disturbed(self):
        return self.others > DISTURBED_SHARE * self.wall + TICK_SLACK_S


def expect_build(parser, folder):
    if not os.path.exists(os.path.join(folder, "bench", "sluice_pack_corpus")):
        parser.error(f"{folder} is no build: cmake --preset release && cmake --build build/release")


def process_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def folder_bytes(folder):
    return sum(os.path.getsize(os.path.join(path, name))
               for path, _, names in os.walk(folder) for name in names)


def empty_folder(folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)


def run_shell(command, timeout=600):
    """Runs what is not timed; an Error says what it printed."""
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], check=False, timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise RuntimeError(f"{command}\nended with {done.returncode}: {done.stdout.decode()[-500:]}")
    return done.stdout.decode()


def measure(command, output, result, helper_pid=None):
    """Runs `command` once, with the folder `output` empty before; it leaves its result in the folder
    `result`. `helper_pid`: a server that works for it, whose time is not the rest of the machine's."""
    empty_folder(output)
    os.sync()
    helper = process_seconds(helper_pid) if helper_pid else 0
    done = subprocess.run(["/usr/bin/python3", "-SEB", RUN_ONCE, command], check=False,
                          stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"{command}\nended with {done.returncode}: {done.stderr.decode()[-500:]}")
    wall, cpu, busy, peak = map(float, done.stdout.split())
    helper = process_seconds(helper_pid) - helper if helper_pid else 0
    return Run(wall=wall, cpu=cpu, peak=peak, size=folder_bytes(result),
               others=max(0.0, busy - cpu - helper))


def touch_memory(size):
    """Has the host give this machine the memory that the page cache will want: otherwise the command
    that comes first pays for it."""
    code = ("import mmap; mmap.mmap(-1, %d, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x8000)"
            ".close()" % size)  # MAP_POPULATE
    subprocess.run(["/usr/bin/python3", "-c", code], check=True)


def describe():
    """One line about the machine."""
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    with open("/proc/meminfo", encoding="ascii") as lines:
        memory = int(lines.readline().split()[1]) / 2**20
    with open("/etc/os-release", encoding="utf-8") as lines:
        system = next(line.split("=", 1)[1].strip().strip('"') for line in lines
                      if line.startswith("PRETTY_NAME"))
    return (f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {system}, Linux "
            f"{os.uname().release}")
