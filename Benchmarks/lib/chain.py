"""The chain of processes mld starts for a job, taken from a job that runs, and run again in parts."""

import os
import time
from pathlib import Path

from lib.daemon import Daemon, call
from lib.timing import Ran

# The place of the filter among a supervisor's descriptors.
FILTER = 5


class Chain:
    """The real command lines of one job's supervisor, cut where one program starts the next."""

    def __init__(self, daemon: Daemon):
        answer = call(daemon.socket, "POST", "/v1/jobs", {
            "name": "pattern", "resources": {"cpus": 1, "memory_bytes": 64 << 20},
            "command": {"argv": ["sleep", "100000"]}})[1]
        self.words, self.environment, self.filter = self._wait(daemon)
        call(daemon.socket, "POST", f"/v1/jobs/{answer['id']}/cancel", {})
        self.directory = daemon.directory / "chain"
        self.directory.mkdir()
        first = self.words.index("--")
        second = self.words.index("--", first + 1)
        third = self.words.index("--", second + 1)
        self.supervise, self.wrapper = self.words[:first], self.words[first + 1:second]
        self.last = self.words[second + 1:third]
        self.exec_path = self.supervise[0]
        record = self.supervise.index("--record") + 1
        self.supervise[record] = str(self.directory / "exit.json")
        self.cgroup: Path | None = None
        if "--cgroup" in self.supervise:
            place = self.supervise.index("--cgroup") + 1
            own = Path(self.supervise[place]).parent  # The job's; ours lies beside it and is found by the same name.
            self.cgroup = own.with_name(f"{own.name.split('-')[0]}-chain{os.getpid()}")
            self.cgroup_option = place

    @staticmethod
    def _wait(daemon: Daemon) -> tuple[list[str], bytes, bytes]:
        """The supervisor's words, the environment of the job's own process, and the filter of its system calls, once that
        runs."""
        limit = time.monotonic() + 30
        while time.monotonic() < limit:
            words, environment, filter = None, None, None
            for pid in daemon.processes():
                try:
                    found = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
                    if found[1:2] == [b"supervise"]:
                        words = [os.fsdecode(word) for word in found]
                        filter = Path(f"/proc/{pid}/fd/{FILTER}").read_bytes()
                    if found == [b"sleep", b"100000"]:
                        environment = Path(f"/proc/{pid}/environ").read_bytes()
                except OSError:
                    continue
            if words and environment and filter is not None:
                if "--wrapped" not in words:
                    raise SystemExit("mld starts its jobs without bubblewrap here: there is no chain to time")
                return words, environment, filter
            time.sleep(0.02)
        raise SystemExit("the job whose chain is to be timed does not run:\n" + daemon.last_log())

    def _run(self, argv: list[str], name: str = "0") -> Ran:
        """With the descriptors a job's supervisor gets: input, output, errors, events, environment, filter, and a status
        pipe's place for what is run without a supervisor."""
        memories = [os.memfd_create(name) for name in ("environment", "filter")]
        opened = [os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)]
        try:
            for memory, content in zip(memories, (self.environment, self.filter)):
                os.write(memory, content)
                os.lseek(memory, 0, os.SEEK_SET)
            for file in ("out", "err", "events"):
                flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
                opened.append(os.open(self.directory / f"{file}-{name}", flags))
            opened += [*memories, os.open("/dev/null", os.O_WRONLY | os.O_CLOEXEC)]
            ran = Ran(argv, {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}, descriptors=opened)
        finally:
            for descriptor in {*opened, *memories}:
                os.close(descriptor)
        if ran.status:
            words = (self.directory / f"err-{name}").read_text()[-500:]
            raise SystemExit(f"{' '.join(argv[:3])} ... ended with status {ran.status}: {words}")
        return ran

    # The parts, from the least to the whole. `name` tells those apart that run at the same time.

    def plain(self, name="0") -> Ran:
        return self._run(["/bin/true"], name)

    def bubblewrap(self, name="0", without: tuple[str, ...] = (), mounts=True) -> Ran:
        words = [word for word in self.wrapper if word not in without]
        if not mounts:
            words = self.least(words)
        return self._run([*words, "--", "/bin/true"], name)

    @staticmethod
    def least(words: list[str]) -> list[str]:
        """Of the mounts only what /bin/true needs to start."""
        kept, rest = [words[0]], iter(words[1:])
        for word in rest:
            if word in ("--ro-bind", "--ro-bind-try", "--symlink"):
                source, target = next(rest), next(rest)
                if target in ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"):
                    kept += [word, source, target]
            elif word.startswith("--unshare") or word in ("--as-pid-1", "--die-with-parent", "--new-session"):
                kept.append(word)
        return kept

    def inside(self, name="0") -> Ran:
        """Bubblewrap and the last step, without a supervisor."""
        return self._run([*self.wrapper, "--", *self.last, "--", "/bin/true"], name)

    def last_step(self, name="0") -> Ran:
        """The last step alone, outside: no init, nothing to verify."""
        words, kept = iter(self.last[1:]), [self.exec_path]
        for word in words:
            if word in ("--verify", "--chdir"):
                next(words)
            elif word != "--init":
                kept.append(word)
        return self._run([*kept, "--", "/bin/true"], name)

    def supervisor(self, name="0") -> Ran:
        """A supervisor whose job is /bin/true itself."""
        words = [word for word in self.supervise if word != "--wrapped"]
        place = words.index("--record") + 1
        words[place] += "." + name
        if self.cgroup:
            del words[words.index("--cgroup"):words.index("--cgroup") + 2]
        return self._run([*words, "--", "/bin/true"], name)

    def whole(self, name="0", with_cgroup=True) -> Ran:
        """As mld builds it, but for the supervisor's own cgroup: it stays in ours."""
        words = list(self.supervise)
        words[words.index("--record") + 1] += "." + name
        job = None
        begin = time.perf_counter_ns()
        if self.cgroup and with_cgroup:
            job = Path(f"{self.cgroup}-{name}/job")
            job.parent.mkdir()
            job.mkdir()
            words[self.cgroup_option] = str(job)
        elif self.cgroup:
            del words[self.cgroup_option - 1:self.cgroup_option + 1]
        try:
            before = (time.perf_counter_ns() - begin) / 1e6
            ran = self._run([*words, "--", *self.wrapper, "--", *self.last, "--", "/bin/true"], name)
        finally:
            begin = time.perf_counter_ns()
            if job:
                job.rmdir()
                job.parent.rmdir()
        ran.milliseconds += before + (time.perf_counter_ns() - begin) / 1e6
        return ran
