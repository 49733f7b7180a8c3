"""What must hold after a round, whatever happened in it."""

import json
import sqlite3
import time

from lib.daemon import NoAnswer, NotSent, call
from lib.fault_round import FAILING, Round

FINAL = ("succeeded", "failed", "timed-out", "cancelled", "out-of-memory", "lost")
LIMIT = 60


def query(round: Round, sql: str) -> list[tuple]:
    connection = sqlite3.connect(f"file:{round.daemon.state}/ledger.db?mode=ro", uri=True, timeout=10)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def wait_for_the_end(round: Round):
    """Until all jobs have ended; those that do not in a minute with all faults over are told."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        going = query(round, f"SELECT id, state, reason FROM jobs WHERE state NOT IN {FINAL} ORDER BY id")
        if not going:
            return
        time.sleep(0.02)
    for id, state, reason in going[:5]:
        round.fail(f"job {id} has not ended {LIMIT} s after the last fault: {state}, {reason}")


def check_jobs(round: Round):
    """No accepted job lost, none run twice, none with an end that nothing caused."""
    load = round.load
    jobs = {row[0]: row[1:] for row in query(round, "SELECT id, name, state, reason, attempt, exit_status FROM jobs")}
    moves: dict[int, list[tuple]] = {}
    for id, old, new, cause in query(round, "SELECT job_id, from_state, to_state, cause FROM transitions ORDER BY id"):
        moves.setdefault(id, []).append((old, new, cause))
    lines = {int(file.name): file.read_text().split() for file in (round.directory / "out").iterdir()
             if file.name.isdigit()}
    for id in load.twice:
        round.fail(f"number {id} was handed out twice")
    for id, name in load.accepted.items():
        if id not in jobs or jobs[id][0] != name:
            round.fail(f"job {id} was accepted as {name} and the ledger has {jobs.get(id)}")
    refused = {row[0] for row in jobs.values()} & set(load.refused)
    for name in refused:
        round.fail(f"{name} was refused ({load.refused[name]}) and is in the ledger")
    for id in set(lines) - set(jobs):
        round.fail(f"job {id} ran and the ledger has no such job")
    for id, (name, state, reason, attempts, status) in jobs.items():
        about = f"job {id} ({name}): {state}, {reason}"
        hit = round.hit.get(id)
        ran = lines.get(id, [])
        again = [cause for _, new, cause in moves.get(id, [])[1:] if new == "queued"]
        if state in FINAL and not reason:
            round.fail(f"{about}: ended without a cause")
        if len([1 for _, new, _ in moves.get(id, []) if new in FINAL]) > 1:
            round.fail(f"{about}: ended more than once: {moves[id]}")
        if len(set(ran)) < len(ran):
            round.fail(f"{about}: attempt run twice: {ran}")
        if len(ran) > 1:
            # What is requeued here says that it had not started.
            round.fail(f"{about}: ran {len(ran)} times, attempts {ran}; queued again: {again}")
        if attempts - 1 > len(again):
            round.fail(f"{about}: {attempts} attempts, of which only {len(again)} have a cause")
        if name == "flood":
            if state not in ("cancelled", "succeeded"):
                round.fail(f"{about}: of a flood that was cancelled")
            continue
        if state == "succeeded":
            if not ran:
                round.fail(f"{about}: did not run")
            if name in load.failing or name in load.endless:
                round.fail(f"{about}: should not have")
        elif state == "failed":
            # Training keeps its model on the same file system as the ledger.
            is_meant = (name in load.failing and status == FAILING) or (name in load.training and round.explanations)
            if not (is_meant and ran) and not hit:
                round.fail(f"{about}: nothing of it was killed")
        elif state == "lost":
            if not hit or not {"supervisor"} & set(hit):
                round.fail(f"{about}: nothing of it was killed")
        elif state == "cancelled":
            if id not in round.cancelled:
                round.fail(f"{about}: nobody cancelled it")
        elif state == "timed-out":
            if name not in load.endless:
                round.fail(f"{about}: it had time enough")
        elif state in FINAL:
            round.fail(f"{about}: nothing of that kind was done to it")


def check_events(round: Round):
    """As many figures in the ledger as whole lines in the files of the attempts."""
    kept = {(job, attempt): count for job, attempt, count in query(
        round, "SELECT job_id, attempt, COUNT(*) FROM metrics GROUP BY job_id, attempt")}
    for file in (round.daemon.state / "jobs").glob("*/events-*.jsonl"):
        key = int(file.parent.name), int(file.stem.split("-")[1])
        count = 0
        for line in file.read_bytes().split(b"\n")[:-1]:
            try:
                count += json.loads(line)["event"] == "metric"
            except (ValueError, KeyError, TypeError):
                pass  # A full disk cuts lines short.
        if kept.get(key, 0) != count:
            round.fail(f"job {key[0]} attempt {key[1]} wrote {count} events, the ledger has {kept.get(key, 0)}")


def check_books(round: Round):
    try:
        status, audit = call(round.daemon.socket, "GET", "/v1/audit")
        if status != 200 or not audit["ok"]:
            round.fail(f"the audit fails: {json.dumps(audit)[:400]}")
        status, report = call(round.daemon.socket, "GET", "/v1/report?by=job")
        balance = report.get("balance", {})
        residual = balance.get("metered_uj", 0) - sum(v for k, v in balance.items() if k != "metered_uj")
        if status != 200 or residual:
            round.fail(f"the balance has a residual: {status} {json.dumps(balance)}")
    except (NotSent, NoAnswer) as error:
        round.fail(f"no answer to the audit: {error}")
    if (said := query(round, "PRAGMA integrity_check")[0][0]) != "ok":
        round.fail(f"SQLite finds the ledger damaged: {said}")


def check_ends(round: Round):
    """mld may end by itself only for a reason that was given to it, and must say so."""
    for status, log in round.keeper.ends:
        is_explained = status > 0 and any(word in log.lower() for word in round.explanations)
        if not is_explained:
            round.fail(f"mld ended by itself with status {status}: {log.strip()[-300:] or '(said nothing)'}")


def check_remains(round: Round):
    """Once mld has stopped, and its jobs before."""
    status = round.daemon.stop()
    if status != 0:
        round.fail(f"mld was stopped by SIGTERM and ended with status {status}")
    end = time.monotonic() + 3
    while time.monotonic() < end and (round.daemon.processes() or round.tree.left()):
        time.sleep(0.01)
    for pid in round.daemon.processes():
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().replace(b"\0", b" ")[:200].decode(errors="replace")
        except OSError:
            continue
        round.fail(f"a process is left over: {words}")
    for path in round.tree.left():
        round.fail(f"a cgroup is left over: {path.rsplit('/', 1)[1]}")
