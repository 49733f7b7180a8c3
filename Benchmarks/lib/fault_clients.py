"""Faults of clients: too many, too slow, malformed, and those that change their mind."""

import random
import threading
import time

from lib import hostile
from lib.daemon import NoAnswer, NotSent, call
from lib.fault_processes import kill_mld
from lib.fault_round import Round


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
