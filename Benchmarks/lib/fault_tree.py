"""A cgroup of our own for mld to live in, so that what is done to its jobs' cgroups is done to no other's."""

import os
import time
from pathlib import Path


class CgroupTree:
    """`path` is None where none can be made, for the reason in `problem`."""

    def __init__(self, name: str):
        self.path: Path | None = None
        self.problem = "no cgroup v2 hierarchy"
        for mount in (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified")):
            if not (mount / "cgroup.controllers").exists():
                continue
            lines = Path("/proc/self/cgroup").read_text().splitlines()
            own = next(line[3:] for line in lines if line.startswith("0::"))
            path = Path(f"{mount}{own.rstrip('/')}/{name}")
            try:
                path.mkdir()
                self.path = path
            except OSError as error:
                self.problem = f"no cgroup of our own: {error}"
            return

    @property
    def jobs(self) -> Path | None:
        """Where mld makes those of its jobs, once it runs."""
        path = self.path and self.path / "jobs"
        return path if path and path.exists() else None

    @property
    def prefix(self) -> list[str]:
        """Starts a program in it."""
        if self.path is None:
            return []
        return ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self.path / "cgroup.procs")]

    def left(self) -> list[str]:
        """Cgroups of jobs that are still there."""
        return [str(entry) for entry in self.jobs.iterdir() if entry.is_dir()] if self.jobs else []

    def limit(self, more: int | None):
        """How many more cgroups may be made; None for no limit."""
        if self.jobs:
            count = sum(len(directories) for _, directories, _ in os.walk(self.jobs))
            (self.jobs / "cgroup.max.descendants").write_text("max" if more is None else str(count + more))

    def empty(self):
        """Ends what is in the jobs' cgroups, and removes them."""
        for path in self.left():
            try:
                Path(path, "cgroup.kill").write_text("1")
            except OSError:
                pass  # A kernel without it: its processes were found by their directory.
            for _ in range(50):
                self.remove(path)
                if not os.path.exists(path):
                    break
                time.sleep(0.02)

    @staticmethod
    def remove(path):
        for directory, _, _ in os.walk(path, topdown=False):
            try:
                os.rmdir(directory)
            except OSError:
                pass

    def clear(self):
        if self.path and self.path.exists():
            self.empty()
            self.remove(self.path)
