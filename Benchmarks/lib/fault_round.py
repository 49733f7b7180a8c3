"""One round of the fault campaign: a daemon with a ledger of its own, kept running as systemd would, and its jobs."""

import os
import random
import shutil
import signal
import subprocess
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from lib.crash_load import Load
from lib.daemon import Daemon, NoAnswer, NotSent, call
from lib.fault_tree import CgroupTree

DISK = "48m"
FAILING = 3  # the status of jobs that are to fail


class RoundLoad(Load):
    """A few jobs: short, failing, talking, longer, with children, without end, to begin later."""

    def __init__(self, daemon: Daemon, out: Path, seed: int, count: int, mltrain: str | None, is_clock_set: bool):
        super().__init__(daemon, out, seed)
        self.failing: set[str] = set()
        self.training: set[str] = set()
        self.endless: set[str] = set()
        self.count, self.mltrain, self.is_clock_set = count, mltrain, is_clock_set

    def work(self, name: str) -> str:
        kind = self.draw.random()
        if kind < 0.35:
            return f"sleep {self.draw.uniform(0, 0.3):.3f}"
        if kind < 0.5:
            self.failing.add(name)
            return f"sleep {self.draw.uniform(0, 0.1):.3f}; exit {FAILING}"
        if kind < 0.65:
            return self.talk(self.draw.randint(1, 10))
        if kind < 0.7:
            return f"for i in 1 2 3; do sleep {self.draw.uniform(0.3, 1):.3f} & done; wait"
        if kind < 0.75:
            # What it leaves behind in a session of its own must go too.
            return "setsid sleep 1000 > /dev/null 2>&1 & setsid -f sleep 1000; true"
        if kind < 0.8:
            self.endless.add(name)
            return "sleep 1000"
        if kind < 0.9 and self.mltrain:
            # As part of the job's own command, so that its line says that it ran.
            self.training.add(name)
            return self.mltrain
        return f"sleep {self.draw.uniform(0.5, 1.5):.3f}"

    def job(self, name: str) -> dict:
        job = super().job(name)
        if name in self.training:
            job["sandbox"]["read_only"] = [str(self.out.parent.parent / "training")]
            job["resources"]["memory_bytes"] = 512 << 20
        if name in self.endless:
            job["resources"]["time_limit_s"] = 1
        elif self.draw.random() < 0.1 and not self.is_clock_set:
            start = datetime.now(timezone.utc) + timedelta(seconds=self.draw.uniform(0, 2))
            job["schedule"] = {"not_before": start.isoformat(timespec="milliseconds").replace("+00:00", "Z")}
        return job

    def is_done(self) -> bool:
        return len(self.accepted) >= self.count or self.submitted >= self.count * 5


class Keeper(threading.Thread):
    """Starts mld again whenever it has ended, after a pause, and notes each end that nobody caused."""

    PAUSE = 0.1

    def __init__(self, round: "Round"):
        super().__init__(daemon=True)
        self.round, self.ending = round, threading.Event()
        self.lock = threading.Lock()
        self.is_killed = False
        self.starts = 0
        self.ends: list[tuple[int, str]] = []

    def kill(self, patience: float = -1) -> bool:
        """SIGKILL to the mld that runs now. False when so many seconds passed while it is being stopped or started."""
        if not self.lock.acquire(timeout=patience):
            return False
        try:
            process = self.round.daemon.process
            if process.poll() is None:
                self.is_killed = True
                process.send_signal(signal.SIGKILL)
                process.wait()
            return True
        finally:
            self.lock.release()

    def stop(self, limit: float = 20) -> int | None:
        """SIGTERM, as for an upgrade. Its status; None when it had to be killed in the end, or was not there."""
        with self.lock:
            process = self.round.daemon.process
            if process.poll() is not None:
                return None
            self.is_killed = True
            process.send_signal(signal.SIGTERM)
            try:
                return process.wait(limit)
            except subprocess.TimeoutExpired:
                self.round.fail(f"mld did not end {limit:.0f} s after SIGTERM")
                process.kill()
                process.wait()
                return None

    def run(self):
        while not self.ending.wait(0.005):
            with self.lock:
                process = self.round.daemon.process
                if process.poll() is None:
                    continue
                if not self.is_killed:
                    self.ends.append((process.returncode, self.round.daemon.last_log()[-2000:]))
                self.is_killed = False
            if self.ending.wait(self.PAUSE + self.round.draw.choice([0, 0, 0.1, 0.3])):
                return
            with self.lock:
                self.round.daemon.spawn()
                self.starts += 1


class Round:
    def __init__(self, bin: Path, directory: Path, seed: int, tree: CgroupTree, clock, mltrain: str | None):
        self.directory, self.seed, self.tree, self.clock = directory, seed, tree, clock
        self.draw = random.Random(seed)
        self.events: list[str] = []  # What was done when, for people.
        self.begin = time.monotonic()
        self.lock = threading.Lock()
        self.hit: dict[int, list[str]] = {}  # job -> which of its processes were killed
        self.cancelled: set[int] = set()
        self.explanations: list[str] = []  # Words by which mld may say why it ended.
        self.broken: list[str] = []
        (directory / "out").mkdir()
        program = bin / "mld"
        environment = {}
        if clock:
            program, environment = clock.bin / "mld", {"LD_PRELOAD": str(clock.library)}
        self.daemon = Daemon(program, directory, environment)
        self.daemon.prefix = tree.prefix
        self.is_mounted = False
        if os.geteuid() == 0:
            self.daemon.state.mkdir()
            command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", self.daemon.state]
            self.is_mounted = subprocess.run(command, capture_output=True).returncode == 0
        self.load = RoundLoad(self.daemon, directory / "out", seed + 1, self.draw.randint(5, 12), mltrain, bool(clock))
        self.keeper = Keeper(self)

    def note(self, text: str):
        with self.lock:
            self.events.append(f"{time.monotonic() - self.begin:7.3f} s  {text}")

    def fail(self, text: str):
        with self.lock:
            if text not in self.broken:
                self.broken.append(text)

    # What the faults aim at.

    def targets(self) -> dict[str, list[tuple[int, int]]]:
        """(process, job) of what belongs to jobs now, by its role."""
        found: dict[str, list[tuple[int, int]]] = {"supervisor": [], "bwrap": [], "inner": [], "command": []}
        prefix = f"{self.daemon.state}/jobs/"
        for pid in self.daemon.processes():
            try:
                words = [os.fsdecode(word) for word in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")]
                environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if pid == self.daemon.process.pid or len(words) < 2:
                continue
            job = next((int(word[len(prefix):].split("/")[0]) for word in words if word.startswith(prefix)), None)
            role = "command"
            if words[1] == "supervise" or words[2:3] == ["supervise"]:
                role = "supervisor"
            elif words[0].endswith("bwrap"):
                role = "bwrap"
            elif words[1] == "exec":
                role = "inner"
            else:
                job = next((int(word[11:]) for word in environment if word.startswith(b"MLD_JOB_ID=")), None)
            if job is not None:
                found[role].append((pid, job))
        return found

    def signal(self, number: int, pid: int) -> bool:
        try:
            os.kill(pid, number)
            return True
        except ProcessLookupError:
            return False

    # The course of it.

    def start(self):
        self.daemon.spawn()
        if not self.daemon.answers():
            raise RuntimeError("mld does not start: " + self.daemon.last_log()[-500:])
        self.keeper.start()
        self.load.start()

    def wait_for_load(self, limit: float = 20):
        """Until all jobs are accepted. Those that cannot be any more are no finding by themselves."""
        end = time.monotonic() + limit
        while not self.load.is_done() and time.monotonic() < end:
            time.sleep(0.01)
        self.load.ending.set()
        self.load.join(35)
        if self.load.is_alive():
            self.fail("a submission got no answer in 35 s")

    def wait_for_mld(self, limit: float = 60):
        """Until it answers, with all faults over."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            try:
                if call(self.daemon.socket, "GET", "/v1/health", timeout=10)[0] == 200:
                    return True
            except (NotSent, NoAnswer):
                time.sleep(0.02)
        self.fail(f"mld gives no answer for {limit:.0f} s with all faults over: {self.daemon.last_log()[-300:]}")
        return False

    def clean_up_after(self, meter):
        """Nothing of the round runs on, whatever happened; its files stay."""
        meter.stop()
        self.keeper.ending.set()
        if self.keeper.is_alive():
            self.keeper.join(5)
        self.load.ending.set()
        for pid in self.daemon.processes():
            self.signal(signal.SIGCONT, pid)
        self.daemon.clear()
        self.tree.limit(None)
        self.tree.empty()

    def unmount(self):
        if self.is_mounted:
            subprocess.run(["umount", "-l", self.daemon.state], check=False)

    def keep(self, place: Path):
        """Its ledger, log and files, before they go."""
        shutil.copytree(self.directory, place, dirs_exist_ok=True, symlinks=True,
                        ignore=lambda _, names: {"s", "s2", "filler"} & set(names))
        (place / "what-happened").write_text("\n".join(self.events + ["", *self.broken]) + "\n")
