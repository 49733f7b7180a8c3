"""Faults of what mld stands on: its disk, its ledger, cgroups, descriptors, the clock."""

import fcntl
import os
import random
import resource
import signal
import sqlite3
import struct
import subprocess
import time
from pathlib import Path

from lib.crash_trouble import FullDisk
from lib.fault_processes import kill_mld
from lib.fault_round import Round

# Words by which mld may say why it ended.
FULL = ["disk is full", "no space"]
READ_ONLY = ["read-only", "readonly", "not permitted", "unable to open database file"]


def full_disk(round: Round, draw: random.Random):
    round.explanations += FULL
    disk = FullDisk(round.daemon.state, draw.randrange(1 << 30))
    try:
        if draw.random() < 0.7:
            disk.cut_journal()
        disk.fill()
        round.note("filled the disk")
        limit = time.monotonic() + draw.uniform(0.2, 1.5)
        while time.monotonic() < limit:
            disk.fill()  # What mld frees meanwhile is taken too.
            time.sleep(0.02)
        if draw.random() < 0.3:
            kill_mld(round, draw)
            time.sleep(draw.uniform(0.1, 0.6))
    except OSError as error:
        round.note(f"could not fill the disk: {error}")  # It is read-only just now.
    finally:
        empty(disk)
        round.note("emptied the disk")


def empty(disk: FullDisk):
    for _ in range(200):
        try:
            return disk.empty()
        except OSError:
            time.sleep(0.02)  # It is read-only just now.


class Immutable:
    """`chattr +i`: what is so marked can be neither opened for writing nor removed, also by root."""

    GET, SET, FLAG = 0x80086601, 0x40086602, 0x10

    def __init__(self, paths: list[Path]):
        self.paths = [path for path in paths if path.exists()]

    def mark(self, is_on: bool):
        for path in self.paths:
            descriptor = os.open(path, os.O_RDONLY)
            try:
                flags = struct.unpack("l", fcntl.ioctl(descriptor, self.GET, bytes(8)))[0]
                flags = flags | self.FLAG if is_on else flags & ~self.FLAG
                fcntl.ioctl(descriptor, self.SET, struct.pack("l", flags))
            finally:
                os.close(descriptor)


def read_only(round: Round, draw: random.Random):
    """The file system of the ledger, or where jobs have files open on it only the ledger, while mld is started anew."""
    round.explanations += READ_ONLY
    state = round.daemon.state
    with round.keeper.lock:
        process = round.daemon.process
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait()
            round.keeper.is_killed = True
        remount = subprocess.run(["mount", "-o", "remount,ro", state], capture_output=True)
        is_whole = remount.returncode == 0
        marks = Immutable([] if is_whole else [state, *(state / f"ledger.db{end}" for end in ("", "-wal", "-shm"))])
        try:
            marks.mark(True)
        except OSError as error:
            marks.mark(False)
            round.note(f"cannot be made read-only here: {error}")
            return
    round.note(f"killed mld and made {'its file system' if is_whole else 'its ledger'} read-only")
    try:
        time.sleep(draw.uniform(0.2, 1.2))
    finally:
        if is_whole:
            subprocess.run(["mount", "-o", "remount,rw", state], check=True)
        marks.mark(False)
        round.note("made it writable")


def locked(round: Round, draw: random.Random):
    """Another program writes to the ledger for some time; mld waits for it for 5 s."""
    try:
        connection = sqlite3.connect(round.daemon.state / "ledger.db", timeout=1, isolation_level=None)
    except sqlite3.Error:
        return
    try:
        connection.execute("BEGIN IMMEDIATE")
        round.note("locked the ledger")
        time.sleep(draw.uniform(0.2, 1.5))
        connection.execute("ROLLBACK")
        round.note("unlocked the ledger")
    except sqlite3.Error as error:
        round.note(f"could not lock the ledger: {error}")
    finally:
        connection.close()


def no_cgroups(round: Round, draw: random.Random):
    if not round.tree.jobs:
        return round.note(f"cgroups cannot be refused here: {round.tree.problem}")
    try:
        round.tree.limit(draw.randint(0, 2))
        round.note("no more cgroups can be made")
        time.sleep(draw.uniform(0.2, 1))
    finally:
        round.tree.limit(None)
        round.note("cgroups can be made again")


def no_descriptors(round: Round, draw: random.Random):
    pid = round.daemon.process.pid
    try:
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        now = len(os.listdir(f"/proc/{pid}/fd"))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (now + draw.randint(-2, 4), hard))
        round.note("mld can open no more files")
        time.sleep(draw.uniform(0.2, 1))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        round.note("mld can open files again")
    except (ProcessLookupError, FileNotFoundError, PermissionError):
        pass  # It was killed meanwhile.


def clock_jumps(round: Round, draw: random.Random):
    if not round.clock:
        return round.note("the clock is not ours to set in this round")
    for _ in range(draw.randint(1, 3)):
        seconds = draw.choice([-3600, -60, -1, 1, 60, 3600, 86400])
        round.clock.set(seconds)
        round.note(f"set the clock to {seconds:+} s")
        time.sleep(draw.uniform(0.05, 0.5))
    if draw.random() < 0.5:
        round.clock.set(0)
        round.note("set the clock right")
