"""The faults: each is done once to a round, and undone before it returns."""

import fcntl
import os
import random
import resource
import signal
import sqlite3
import struct
import subprocess
import threading
import time
from pathlib import Path

from lib import hostile
from lib.crash_trouble import FullDisk
from lib.daemon import NoAnswer, NotSent, call
from lib.fault_round import Round

FULL = ["disk is full", "no space", "database or disk is full"]
READ_ONLY = ["read-only", "readonly", "not permitted", "unable to open database file"]


def kill_mld(round: Round, draw: random.Random):
    round.keeper.kill()
    round.note("killed mld")


def kill_mld_often(round: Round, draw: random.Random):
    """Also while it starts up."""
    for _ in range(draw.randint(2, 4)):
        round.keeper.kill()
        round.note("killed mld")
        time.sleep(draw.uniform(0.1, 0.5))


def kill_part(role: str):
    def fault(round: Round, draw: random.Random):
        limit = time.monotonic() + 1
        while time.monotonic() < limit:
            if targets := round.targets()[role]:
                pid, job = draw.choice(targets)
                with round.lock:
                    round.hit.setdefault(job, []).append(role)
                if round.signal(signal.SIGKILL, pid):
                    round.note(f"killed the {role} of job {job}")
                return
            time.sleep(0.005)
        round.note(f"found no {role} to kill")
    return fault


def kill_mltrain(round: Round, draw: random.Random):
    limit = time.monotonic() + 1.5
    while time.monotonic() < limit:
        for pid, job in round.targets()["command"]:
            try:
                is_training = Path(f"/proc/{pid}/comm").read_text().startswith("mltrain")
            except OSError:
                continue
            if is_training:
                with round.lock:
                    round.hit.setdefault(job, []).append("mltrain")
                if round.signal(signal.SIGKILL, pid):
                    round.note(f"killed mltrain of job {job}")
                return
        time.sleep(0.005)
    round.note("found no mltrain to kill")


def kill_supervisor_and_mld(round: Round, draw: random.Random):
    """One right after the other."""
    first, second = draw.sample([kill_part("supervisor"), kill_mld], 2)
    first(round, draw)
    time.sleep(draw.choice([0, 0, draw.uniform(0, 0.05)]))
    second(round, draw)


def kill_unnoted(round: Round, draw: random.Random):
    """The ledger is locked while a job starts, so that mld cannot note its process. Once the job runs mld is killed,
    and before it is back the supervisor."""
    connection = sqlite3.connect(round.daemon.state / "ledger.db", timeout=0.2, isolation_level=None)
    limit = time.monotonic() + 1.5
    try:
        while time.monotonic() < limit:
            try:
                if not connection.execute("SELECT 1 FROM jobs WHERE state = 'starting'").fetchone():
                    continue
                connection.execute("BEGIN IMMEDIATE")
                if job := connection.execute("SELECT id FROM jobs WHERE state = 'starting'").fetchone():
                    return kill_both(round, job[0])
            except sqlite3.Error:
                pass  # mld is writing.
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        round.note("found no job that was being started")
    finally:
        connection.close()


def kill_both(round: Round, job: int):
    limit = time.monotonic() + 2
    while not (round.directory / "out" / str(job)).exists() and time.monotonic() < limit:
        time.sleep(0.002)
    round.keeper.kill()
    for pid, other in round.targets()["supervisor"]:
        if other == job and round.signal(signal.SIGKILL, pid):
            with round.lock:
                round.hit.setdefault(job, []).append("supervisor")
            return round.note(f"killed mld and then the supervisor of job {job}, which was not noted")
    round.note(f"killed mld; job {job}, which was not noted, had ended")


def stop_mld(round: Round, draw: random.Random):
    pid = round.daemon.process.pid
    if round.signal(signal.SIGSTOP, pid):
        round.note("stopped mld")
        time.sleep(draw.uniform(0.1, 1.5))
        round.signal(signal.SIGCONT, pid)
        round.note("mld goes on")


def stop_supervisor(round: Round, draw: random.Random):
    if targets := round.targets()["supervisor"]:
        pid, job = draw.choice(targets)
        round.signal(signal.SIGSTOP, pid)
        round.note(f"stopped the supervisor of job {job}")
        time.sleep(draw.uniform(0.1, 1))
        round.signal(signal.SIGCONT, pid)


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


def second_daemon(round: Round, draw: random.Random):
    """On the same state directory: it must go, and leave the first alone."""
    command = [*round.daemon.prefix, round.daemon.program, "--state", round.daemon.state, "--socket",
               round.daemon.directory / "s2", "--policy", round.daemon.directory / "policies", *round.daemon.options]
    # Nobody kills the first meanwhile: then the second might stay.
    with round.keeper.lock:
        if round.daemon.process.poll() is not None:
            return round.note("no mld ran that a second could meet")
        second = subprocess.Popen([*map(str, command)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, cwd="/", env=round.daemon.environment, text=True)
        try:
            words = second.communicate(timeout=10)[1]
            round.note(f"a second mld ended with status {second.returncode}: {words.strip()[-100:]}")
            if second.returncode == 0:
                round.fail("a second mld on the same ledger ended with status 0")
        except subprocess.TimeoutExpired:
            is_first_there = round.daemon.process.poll() is None
            second.kill()
            second.communicate()
            round.note("a second mld ran")
            if is_first_there:
                round.fail("two mld ran on the same ledger")


def slow_clients(round: Round, draw: random.Random):
    seconds = draw.uniform(0.3, 1)
    round.note("slow clients come")
    hostile.slow(round.daemon.socket, draw, seconds)


def half_closed_clients(round: Round, draw: random.Random):
    for _ in range(20):
        try:
            status = hostile.half_closed(round.daemon.socket)
        except OSError:
            continue  # mld was killed meanwhile.
        if status not in (200, None) or (status is None and round.daemon.process.poll() is None
                                         and not round.keeper.starts and not round.keeper.is_killed):
            round.fail(f"a half-closed client was answered {status}")
    round.note("half-closed clients came")


def malformed_requests(round: Round, draw: random.Random):
    for _ in range(30):
        name, request = hostile.malformed(draw)
        try:
            status = hostile.send_malformed(round.daemon.socket, request)
        except TimeoutError:
            round.fail(f"no answer in 30 s to {name}")
            continue
        except OSError:
            continue  # mld was killed meanwhile.
        if status is not None and not 400 <= status < 500:
            # A ledger that cannot be read may be told of.
            if not (status in (500, 507) and round.explanations):
                round.fail(f"{name} was answered {status}")
    round.note("malformed requests came")


def flood(round: Round, draw: random.Random):
    """Some connections submit as fast as they can; what was accepted is cancelled."""
    end = time.monotonic() + draw.uniform(0.1, 0.4)
    body = {"name": "flood", "resources": {"cpus": 1, "memory_bytes": 16 << 20}, "command": {"argv": ["true"]}}
    accepted: list[int] = []

    def run():
        while time.monotonic() < end:
            try:
                status, answer = call(round.daemon.socket, "POST", "/v1/jobs", body)
                if status == 201:
                    accepted.append(answer["id"])
            except (NotSent, NoAnswer):
                time.sleep(0.01)

    threads = [threading.Thread(target=run, daemon=True) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
    round.note(f"a flood of {len(accepted)} jobs")
    with round.lock:
        round.load.accepted |= {id: "flood" for id in accepted}
    cancel(round, accepted)


def cancel(round: Round, jobs: list[int]):
    for job in jobs:
        with round.lock:
            round.cancelled.add(job)
        for _ in range(200):
            try:
                status, _ = call(round.daemon.socket, "POST", f"/v1/jobs/{job}/cancel", {})
                if status in (200, 404, 409):
                    break
            except (NotSent, NoAnswer):
                pass
            time.sleep(0.05)


def cancel_some(round: Round, draw: random.Random):
    jobs = list(round.load.accepted)
    chosen = draw.sample(jobs, min(len(jobs), draw.randint(1, 3)))
    round.note(f"cancel jobs {chosen}")
    cancel(round, chosen)


def cancel_and_kill_mld(round: Round, draw: random.Random):
    jobs = list(round.load.accepted)
    if not jobs:
        return
    job = draw.choice(jobs[-3:])
    thread = threading.Thread(target=cancel, args=(round, [job]), daemon=True)
    thread.start()
    time.sleep(draw.uniform(0, 0.02))
    kill_mld(round, draw)
    thread.join(40)
    round.note(f"cancelled job {job}")


def hold_and_release(round: Round, draw: random.Random):
    for job in list(round.load.accepted)[-4:]:
        try:
            status, _ = call(round.daemon.socket, "POST", f"/v1/jobs/{job}/hold", {})
            if status == 200:
                time.sleep(draw.uniform(0, 0.1))
                for _ in range(200):
                    if call(round.daemon.socket, "POST", f"/v1/jobs/{job}/release", {})[0] in (200, 409):
                        break
                    time.sleep(0.05)
                round.note(f"held and released job {job}")
        except (NotSent, NoAnswer):
            release(round, job)


def release(round: Round, job: int):
    for _ in range(200):
        try:
            if call(round.daemon.socket, "POST", f"/v1/jobs/{job}/release", {})[0] in (200, 409):
                return
        except (NotSent, NoAnswer):
            pass
        time.sleep(0.05)


FAULTS = {
    "kill-mld": kill_mld, "kill-mld-often": kill_mld_often, "kill-supervisor": kill_part("supervisor"),
    "kill-bwrap": kill_part("bwrap"), "kill-inner": kill_part("inner"), "kill-command": kill_part("command"),
    "kill-mltrain": kill_mltrain, "kill-supervisor-and-mld": kill_supervisor_and_mld,
    "kill-unnoted": kill_unnoted,
    "stop-mld": stop_mld, "stop-supervisor": stop_supervisor, "full-disk": full_disk, "read-only": read_only,
    "locked": locked, "no-cgroups": no_cgroups, "no-descriptors": no_descriptors, "clock": clock_jumps,
    "second-daemon": second_daemon, "slow": slow_clients, "half-closed": half_closed_clients,
    "malformed": malformed_requests, "flood": flood, "cancel": cancel_some, "cancel-and-kill": cancel_and_kill_mld,
    "hold": hold_and_release,
}
