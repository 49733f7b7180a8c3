"""A daemon of our own to be hard on: its programs, its socket, a counter that we turn, and what it leaves."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from lib.core import ROOT

START_LIMIT = 60


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def programs(given: str | None) -> Path:
    """The directory of `--bin`, else that of a release build."""
    if given:
        return Path(given).resolve()
    command = ["swift", "build", "-c", "release"]
    print(" ".join(command), file=sys.stderr)
    subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=True)
    shown = subprocess.run([*command, "--show-bin-path"], cwd=ROOT, capture_output=True, text=True, check=True)
    return Path(shown.stdout.strip())


class NotSent(Exception):
    """Nobody listened: the daemon cannot have seen the request."""


class NoAnswer(Exception):
    """The request went out and nothing came back: what became of it is unknown."""


class Connection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def call(path: str, method: str, target: str, body=None, timeout=30.0):
    """Status and decoded answer of one request."""
    connection = Connection(path, timeout)
    try:
        try:
            connection.connect()
        except OSError as error:
            raise NotSent(str(error)) from error
        try:
            connection.request(method, target, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoAnswer(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()


def busy_seconds() -> float:
    """CPU time the machine has spent on anything: user, nice, system, irq and softirq of /proc/stat."""
    user, nice, system, _, _, irq, softirq = map(int, Path("/proc/stat").read_text().split(None, 8)[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


class Counter:
    """A RAPL zone whose counter runs at a known power, so that the truth is known: some watts always, and some for each
    busy CPU."""

    def __init__(self, sysfs: Path, watts: float, watts_per_cpu: float = 0, number: int = 0):
        self.zone = sysfs / "class" / "powercap" / f"intel-rapl:{number}"
        self.zone.mkdir(parents=True)
        self.watts, self.watts_per_cpu = watts, watts_per_cpu
        self.value = self.first = 1_000_000
        (self.zone / "name").write_text(f"package-{number}\n")
        (self.zone / "max_energy_range_uj").write_text("262143328850\n")
        self._write()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _write(self):
        # Renamed: a reader must never see half a number.
        new = self.zone / "energy_uj.new"
        new.write_text(f"{self.value}\n")
        new.rename(self.zone / "energy_uj")

    def _run(self):
        begin, busy = time.monotonic(), busy_seconds()
        while not self._stop.wait(0.02):
            joules = (time.monotonic() - begin) * self.watts
            if self.watts_per_cpu:
                joules += (busy_seconds() - busy) * self.watts_per_cpu
            self.value = self.first + int(joules * 1e6)
            self._write()

    def stop(self) -> int:
        """What it counted in all, in µJ."""
        self._stop.set()
        self._thread.join()
        return self.value - self.first


class Daemon:
    """One `mld` after the other on the same directory. Signals only processes that it started itself."""

    def __init__(self, program: Path, directory: Path, environment: dict[str, str] | None = None,
                 own_sysfs: bool = True):
        self.program, self.directory = program, directory
        # Without one of ours it meters by what the machine has.
        self.options = ["--sysfs", directory / "sys"] if own_sysfs else []
        self.prefix: list = []  # What starts it.
        self.environment = os.environ | (environment or {})
        self.socket, self.state = str(directory / "s"), directory / "state"
        self.log = directory / "log"
        self.process: subprocess.Popen | None = None
        self.log_start = 0
        (directory / "policies").mkdir()

    def spawn(self):
        self.log_start = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, self.program, "--state", self.state, "--socket", self.socket,
                 "--policy", self.directory / "policies", *self.options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env=self.environment)

    def last_log(self) -> str:
        """What the present process said."""
        with self.log.open("rb") as log:
            log.seek(self.log_start)
            return log.read().decode(errors="replace")

    def answers(self) -> bool:
        """Waits for the socket. False: it exited by itself, or gave no answer in time (then it still runs)."""
        limit = time.monotonic() + START_LIMIT
        while time.monotonic() < limit:
            try:
                status, health = call(self.socket, "GET", "/v1/health", timeout=5)
                if status == 200 and health["pid"] == self.process.pid:
                    return True
            except (NotSent, NoAnswer):
                pass
            if self.process.poll() is not None:
                return False
            time.sleep(0.01)
        return False

    def kill(self) -> float:
        """SIGKILL. When it was sent, in seconds since 1970."""
        now = time.time()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        return now

    def stop(self) -> int | None:
        """SIGTERM. The exit status; None when it had to be killed."""
        if self.process is None or self.process.poll() is not None:
            return self.process and self.process.returncode
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def clear(self):
        """Stops it, and ends its jobs and what they left: nothing of ours outlives us, whatever happened."""
        self.stop()
        # Supervisors are the daemon's children and not ours, but name our directory: SIGTERM ends their jobs first.
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in self.processes():
                try:
                    os.kill(pid, number)
                    os.kill(pid, signal.SIGCONT)  # One that was stopped has to go on to end.
                except ProcessLookupError:
                    pass
            limit = time.monotonic() + 12
            while self.processes() and time.monotonic() < limit:
                time.sleep(0.1)
        for path in self.cgroups():
            for directory in (f"{path}/job", f"{path}/supervisor", path):
                try:
                    os.rmdir(directory)
                except OSError:
                    pass

    # What the jobs of this directory leave behind.

    def processes(self) -> list[int]:
        """Processes that name our directory in their command or environment: supervisors, sandboxes and jobs."""
        mark = os.fsencode(self.directory) + b"/"
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                if mark in (entry / "cmdline").read_bytes() or mark in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue  # It has gone, or is another user's and so no job of ours.
        return found

    def cgroups(self) -> list[str]:
        """Named by a hash of the state directory: FNV-1a, as in StateDirectory.swift."""
        value = 0xCBF29CE484222325
        for byte in os.fsencode(self.state):
            value = ((value ^ byte) * 0x100000001B3) % (1 << 64)
        name = ""
        while value:
            value, digit = divmod(value, 36)
            name = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + name
        # Others' cgroups come and go meanwhile, which os.walk, unlike a glob, passes over.
        return [f"{directory}/{child}" for directory, children, _ in os.walk("/sys/fs/cgroup")
                if directory.endswith("/mld-jobs") for child in children if child.startswith(f"{name}-")]
