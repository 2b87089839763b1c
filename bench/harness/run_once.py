#!/usr/bin/python3
"""Runs one shell command and prints its wall seconds, its processor seconds, the processor seconds of the
whole machine meanwhile and the bytes that its largest process held. A program of its own, and a small one: a
process inherits the peak of the one that started it.
"""

import os
import sys
import time

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def busy_seconds():
    """Of all processors since the start: all but idle and waiting for the disk."""
    with open("/proc/stat", encoding="ascii") as stat:
        fields = [int(field) for field in stat.readline().split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICKS_A_SECOND


def main():
    quiet = [(os.POSIX_SPAWN_OPEN, descriptor, "/dev/null", flags, 0)
             for descriptor, flags in ((0, os.O_RDONLY), (1, os.O_WRONLY))]
    arguments = ["bash", "-o", "pipefail", "-c", sys.argv[1]]
    busy, begin = busy_seconds(), time.monotonic()
    process = os.posix_spawnp("bash", arguments, os.environ, file_actions=quiet)
    _, status, usage = os.wait4(process, 0)
    wall = time.monotonic() - begin
    print(wall, usage.ru_utime + usage.ru_stime, busy_seconds() - busy, usage.ru_maxrss * 1024)
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
