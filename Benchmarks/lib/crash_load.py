"""The jobs of the crash campaign."""

import os
import random
import threading
from pathlib import Path

from lib.daemon import Daemon, NoAnswer, NotSent, call

WAITING = 20  # jobs that may be accepted and not begun


class Load(threading.Thread):
    """Keeps the queue loaded, and remembers what was promised."""

    def __init__(self, daemon: Daemon, out: Path, seed: int):
        super().__init__(daemon=True)
        self.target, self.out = daemon, out
        self.draw = random.Random(seed)
        self.accepted: dict[int, str] = {}  # number -> name
        self.twice: list[int] = []
        self.unknown: set[str] = set()
        self.burning: set[str] = set()
        self.refused: dict[str, str] = {}  # name -> the refusal
        self.submitted = 0
        self.ending = threading.Event()

    def work(self, name: str) -> str:
        """What a job does: most are short and sleep, some talk all the time, some burn CPU."""
        kind = self.draw.random()
        if kind < 0.65:
            return f"sleep {self.draw.uniform(0, 0.5):.3f}"
        if kind < 0.75:
            return f"sleep {self.draw.uniform(2, 5):.3f}"
        if kind < 0.88:
            return self.talk(self.draw.randint(1, 40))
        self.burning.add(name)
        return f"timeout {self.draw.uniform(2, 6):.3f} sh -c 'while :; do :; done'; true"

    @staticmethod
    def talk(events: int) -> str:
        """Ten events a second, the last right before its end; without room an event is lost and the job goes on."""
        line = '{"event":"metric","name":"n","split":"train","value":\'$n\'}'
        return f"n=1; while echo '{line}' >&3; [ $n -lt {events} ]; do n=$((n+1)); sleep 0.1; done; true"

    def is_done(self) -> bool:
        """Whether nothing more is to be submitted; it goes on until it is told to end."""
        return False

    def job(self, name: str) -> dict:
        work = self.work(name)
        # One line, one write: more than one line is a second run.
        argv = ["sh", "-c", f'echo "$MLD_ATTEMPT" >> "{self.out}/$MLD_JOB_ID"; {work}']
        return {
            "name": name, "resources": {"cpus": 1, "memory_bytes": 32 << 20},
            "sandbox": {"workdir": str(self.out)}, "command": {"argv": argv},
        }

    def waiting(self) -> int:
        """Jobs that have not begun: by their files, which cost nothing, else by asking, since some may never begin."""
        by_files = len(self.accepted) - len(os.listdir(self.out))
        if by_files < WAITING:
            return by_files
        try:
            return len(call(self.target.socket, "GET", "/v1/jobs?state=queued")[1].get("jobs", []))
        except (NotSent, NoAnswer):
            return by_files

    def send(self, body: dict):
        """Until somebody listens: one name is one job, drawn once."""
        while True:
            try:
                return call(self.target.socket, "POST", "/v1/jobs", body)
            except NotSent:
                if self.ending.wait(0.01):
                    raise

    def run(self):
        while not self.ending.is_set() and not self.is_done():
            if self.waiting() >= WAITING:
                self.ending.wait(0.1)
                continue
            self.submitted += 1
            name = f"crash-{self.submitted}"
            body = self.job(name)
            try:
                status, answer = self.send(body)
            except NoAnswer:
                self.unknown.add(name)
                continue
            except NotSent:
                return  # Told to end before mld was there.
            if status == 201:
                if answer["id"] in self.accepted:
                    self.twice.append(answer["id"])
                self.accepted[answer["id"]] = name
            else:
                error = answer.get("error", {})
                self.refused[name] = f"{status} {error.get('code')}: {error.get('message')}"
                self.ending.wait(0.05)
            self.ending.wait(self.draw.uniform(0, 0.1))
