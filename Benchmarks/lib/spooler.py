"""The peer of the queue: task-spooler, a queue in the memory of one process."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from lib.timing import Ran


class Spooler:
    """A server of our own. Each job that waits holds a client process and a connection, and nothing is on disk."""

    PACKAGE = "task-spooler"

    def __init__(self, directory: Path, slots: int, connections: int = 20_000):
        self.program = self.find()
        self.directory = directory
        directory.mkdir()
        self.environment = os.environ | {
            "TS_SOCKET": str(directory / "s"), "TMPDIR": str(directory), "TS_MAXFINISHED": "100",
            "TS_SLOTS": str(slots), "TS_MAXCONN": str(connections),
        }

    @staticmethod
    def find() -> str | None:
        # Debian's program is `tsp`, since `ts` is another package's.
        return shutil.which("tsp")

    def submit(self, *command: str) -> Ran:
        """`-n`: its output is not kept. `-B`: with a full queue it gives up, with status 2, instead of waiting."""
        return Ran([self.program, "-n", "-B", *command], self.environment)

    def ask(self, *words: str) -> str:
        return subprocess.run([self.program, *words], env=self.environment, capture_output=True, text=True,
                              timeout=60).stdout

    def processes(self) -> list[int]:
        """The server, the clients and what they run: whatever has our socket in its environment."""
        mark = os.fsencode(f"TS_SOCKET={self.directory}/s") + b"\0"
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    if mark in (entry / "environ").read_bytes():
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found

    def clear(self):
        if self.program:
            self.ask("-K")
        time.sleep(0.1)
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
