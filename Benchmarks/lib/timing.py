"""Times of processes and of the disk, and what a list of them says."""

import os
import statistics
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def quantile(values: list[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def median(values: list[float]) -> float:
    return statistics.median(values)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, without its children: by the scheduler's own count, in nanoseconds."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except OSError:
            continue  # A thread that has ended: what little it used is missed.
    return total / 1e9


def memory(pid: int) -> dict[str, float]:
    """MiB: VmRSS now, VmHWM at its peak."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    fields = {line.split(":")[0]: line.split()[1:2] for line in lines}
    return {name: int(fields[name][0]) / 1024 for name in ("VmRSS", "VmHWM")}


def fdatasync_floor(directory: Path, count: int) -> list[float]:
    """Milliseconds of appending 4 KiB to a file and having it on the disk: no durable submission can take less."""
    file, block, times = directory / "floor", bytes(4096), []
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)
    try:
        for _ in range(count):
            begin = time.perf_counter_ns()
            os.write(descriptor, block)
            os.fdatasync(descriptor)
            times.append((time.perf_counter_ns() - begin) / 1e6)
    finally:
        os.close(descriptor)
        file.unlink()
    return times


class Ran:
    """A whole process, from before its start until it was waited for."""

    def __init__(self, argv: list[str], environment: dict[str, str] | None = None, descriptors: list[int] = []):
        """`descriptors` become 0, 1, 2 ... of the process; without any it has /dev/null for the standard three."""
        null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        given = descriptors or [null] * 3
        # By way of high numbers: the lower ones may be among those given.
        actions = [(os.POSIX_SPAWN_DUP2, descriptor, 500 + i) for i, descriptor in enumerate(given)]
        actions += [(os.POSIX_SPAWN_DUP2, 500 + i, i) for i in range(len(given))]
        actions += [(os.POSIX_SPAWN_CLOSE, 500 + i) for i in range(len(given))]
        try:
            begin = time.perf_counter_ns()
            pid = os.posix_spawn(argv[0], argv, os.environ if environment is None else environment,
                                 file_actions=actions)
            _, status, usage = os.wait4(pid, 0)
            self.milliseconds = (time.perf_counter_ns() - begin) / 1e6
        finally:
            os.close(null)
        self.status = os.waitstatus_to_exitcode(status)
        # Its own and that of the children it waited for.
        self.cpu_milliseconds = (usage.ru_utime + usage.ru_stime) * 1e3
