"""Faults of processes: each is done once to a round, and undone before it returns."""

import random
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

from lib.fault_round import Round


def kill_mld(round: Round, draw: random.Random):
    round.keeper.kill()
    round.note("killed mld")


def kill_mld_often(round: Round, draw: random.Random):
    """Also while it starts up."""
    for _ in range(draw.randint(2, 4)):
        round.keeper.kill()
        round.note("killed mld")
        time.sleep(draw.uniform(0.1, 0.5))


def stop_and_start_mld(round: Round, draw: random.Random):
    """SIGTERM, as an upgrade does."""
    status = round.keeper.stop()
    round.note(f"mld ended with status {status} after SIGTERM")
    # Where it was started again an instant ago it does not hear the signal yet, and has done nothing that could be lost.
    is_new = status == -signal.SIGTERM and not round.daemon.last_log().strip()
    if status and not is_new and not (status > 0 and round.explanations):
        round.fail(f"mld ended with status {status} after SIGTERM: {round.daemon.last_log()[-200:]}")


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
    # Another fault may be stopping it, for which it waits as long as the ledger is locked here.
    if not round.keeper.kill(patience=2):
        return round.note(f"mld was being stopped while it could not note job {job}")
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
