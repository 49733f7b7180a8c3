"""What happens to a daemon beside being killed: a full disk, a locked ledger, a clock that is set."""

import mmap
import random
import shlex
import shutil
import sqlite3
import struct
import subprocess
import threading
import time
from pathlib import Path

from lib.daemon import say


class FullDisk(threading.Thread):
    """Fills the file system of the state directory for a while, and empties it again."""

    def __init__(self, state: Path, seed: int):
        super().__init__(daemon=True)
        self.filler = state / "filler"
        self.draw = random.Random(seed)
        self.ending, self.allowed, self.lock = threading.Event(), threading.Event(), threading.Lock()
        self.is_on = False
        self.times = 0
        self.allowed.set()

    def run(self):
        while not self.ending.wait(self.draw.uniform(1, 4)):
            with self.lock:
                if not self.allowed.is_set():
                    continue
                if self.draw.random() < 0.7:
                    self.cut_journal()
                self.fill()
            limit = time.monotonic() + self.draw.uniform(0.3, 3)
            while time.monotonic() < limit and self.allowed.is_set():
                # What mld frees meanwhile is taken too.
                with self.lock:
                    if self.is_on:
                        self.fill()
                self.ending.wait(0.05)
            self.empty()
        self.empty()

    def cut_journal(self):
        """SQLite's journal keeps its space and would take some hundred writes more; a backup program may cut it."""
        try:
            connection = sqlite3.connect(self.filler.with_name("ledger.db"), timeout=0.2, isolation_level=None)
            try:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                connection.close()
        except sqlite3.Error:
            pass  # mld is writing: then it is full with a long journal this time.

    def fill(self):
        self.times += not self.is_on
        self.is_on = True
        with self.filler.open("ab", buffering=0) as file:
            try:
                for size in (1 << 20, 4096):
                    block = bytes(size)
                    try:
                        while file.write(block) == size:
                            pass
                    except OSError:
                        continue
            except OSError:
                pass

    def empty(self):
        with self.lock:
            self.filler.unlink(missing_ok=True)
            self.is_on = False

    def relent(self):
        """Room, until `allowed` is set again."""
        self.allowed.clear()
        self.empty()

    def resume(self):
        self.allowed.set()

    @staticmethod
    def explains(log: str) -> bool:
        return any(word in log.lower() for word in ("disk is full", "no space"))


class Locks(threading.Thread):
    """Another program at the ledger: long reads hold checkpoints up, locks hold writers up."""

    def __init__(self, state: Path, seed: int):
        super().__init__(daemon=True)
        self.ledger = state / "ledger.db"
        self.draw = random.Random(seed)
        self.ending, self.allowed = threading.Event(), threading.Event()
        self.is_on = False
        self.times = 0
        self.allowed.set()

    def run(self):
        while not self.ending.wait(self.draw.uniform(0.5, 3)):
            if not self.allowed.is_set():
                continue
            is_writer = self.draw.random() < 0.35
            # mld waits 5 s for a lock.
            length = self.draw.uniform(0.5, 8) if is_writer else self.draw.uniform(0.5, 4)
            try:
                connection = sqlite3.connect(self.ledger, timeout=1, isolation_level=None)
                try:
                    connection.execute("BEGIN IMMEDIATE" if is_writer else "BEGIN")
                    connection.execute("SELECT COUNT(*) FROM jobs").fetchone()
                    self.is_on = is_writer
                    self.times += 1
                    limit = time.monotonic() + length
                    while time.monotonic() < limit and self.allowed.is_set() and not self.ending.wait(0.05):
                        pass
                    connection.execute("ROLLBACK")
                finally:
                    self.is_on = False
                    connection.close()
            except sqlite3.Error as error:
                say(f"  the other program: {error}")

    def relent(self):
        self.allowed.clear()

    def resume(self):
        self.allowed.set()

    @staticmethod
    def explains(log: str) -> bool:
        return any(word in log.lower() for word in ("locked", "busy"))


class SetClock(threading.Thread):
    """Sets the clock of mld and of its supervisors, by a library before the C library's; not the machine's own."""

    def __init__(self, directory: Path, seed: int):
        super().__init__(daemon=True)
        self.draw = random.Random(seed)
        self.file = directory / "clock-offset"
        self.file.write_bytes(struct.pack("q", 0))
        self.library = directory / "clock.so"
        self.ending = threading.Event()
        self.times = 0

    def prepare(self, bin: Path, directory: Path) -> str | None:
        """Makes the library and a directory of programs that use it. The reason where that cannot be."""
        command = ["cc", "-shared", "-fPIC", "-O1", f'-DOFFSET="{self.file}"', "-o", self.library,
                   Path(__file__).with_name("clock_step.c")]
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except OSError as error:
            return f"no C compiler: {error}"
        if done.returncode:
            return f"the library for the clock does not compile: {done.stderr.strip()}"
        directory.mkdir()
        self.bin = directory
        shutil.copy(bin / "mld", directory / "mld")
        # mld starts its supervisors with an environment of its own, and names the program a second time for the
        # sandbox, which must get the real one.
        wrapper = directory / "mld-exec"
        wrapper.write_text(f"""#!/bin/sh
n=$#
while [ $n -gt 0 ]; do
    word=$1; shift; n=$((n - 1))
    [ "$word" = "{wrapper}" ] && word={shlex.quote(str(bin / "mld-exec"))}
    set -- "$@" "$word"
done
[ "$1" = supervise ] && export LD_PRELOAD={self.library}
exec {shlex.quote(str(bin / "mld-exec"))} "$@"
""")
        wrapper.chmod(0o755)
        return None

    def set(self, seconds: int):
        """That far from the machine's own."""
        with self.file.open("r+b") as file, mmap.mmap(file.fileno(), 8) as offset:
            offset[:8] = struct.pack("q", seconds)
        self.times += 1

    def run(self):
        while not self.ending.wait(self.draw.uniform(3, 15)):
            # Up to an hour either way, and now and then right again.
            self.set(0 if self.draw.random() < 0.2 else self.draw.randint(-3600, 3600))

    def relent(self):
        pass

    def resume(self):
        pass

    @staticmethod
    def explains(log: str) -> bool:
        return False
