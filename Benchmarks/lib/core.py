"""Our side: where `mltrain` is, built for this processor if it has to be."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / "Benchmarks" / "peers"


def processor() -> dict[str, str]:
    """The first processor's lines of /proc/cpuinfo."""
    first = Path("/proc/cpuinfo").read_text().split("\n\n")[0]
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in first.splitlines())}


def target_cpu() -> str | None:
    flags = set(processor().get("flags", "").split())
    if {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"} <= flags:
        return "skylake-avx512"
    return "haswell" if {"avx2", "fma", "bmi2"} <= flags else None


def mltrain(given: str | None) -> Path:
    """The program of `--mltrain`, else a release build for this processor."""
    if given:
        return Path(given).resolve()
    target = target_cpu()
    scratch = ROOT / f".build-{target or 'baseline'}"
    environment = os.environ | ({"MLD_TARGET_CPU": target} if target else {})
    command = ["swift", "build", "-c", "release", "--product", "mltrain", "--scratch-path", str(scratch)]
    print(" ".join(command), file=sys.stderr)
    subprocess.run(command, cwd=ROOT, env=environment, stdout=sys.stderr, check=True)
    return scratch / "release" / "mltrain"


def describe(program: Path, *more: str) -> None:
    """Machine and versions, to standard error."""
    own = subprocess.run([program, "--version"], capture_output=True, text=True).stdout.strip()
    memory = Path("/proc/meminfo").read_text().split()[1]
    model = processor().get("model name", os.uname().machine)
    load = os.getloadavg()[0]
    print(f"{model}, {len(os.sched_getaffinity(0))} CPUs, {int(memory) >> 20} GiB, Linux {os.uname().release}, "
          f"load {load:.1f}", file=sys.stderr)
    if load > 0.5:
        print("other programs are running: the figures below are not to be quoted", file=sys.stderr)
    print("; ".join([f"mltrain {own}", f"Python {sys.version.split()[0]}", *more]), file=sys.stderr)
