"""The peers' scratch virtual environment: made on first use, in MLD_BENCH_VENV or the cache directory."""

import os
import subprocess
import sys
from pathlib import Path

# Torch and TensorFlow as their makers' CPU builds. A peer whose package does not install is reported absent.
PACKAGES = {
    "torch": ["torch", "numpy"],
    "tensorflow": ["tensorflow-cpu"],
    "sklearn": ["scikit-learn"],
    "sacrebleu": ["sacrebleu"],
    "safetensors": ["safetensors", "numpy"],
}


def cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mld-benchmarks"


def directory() -> Path:
    return Path(os.environ.get("MLD_BENCH_VENV") or cache() / "venv")


def python() -> Path:
    return directory() / "bin" / "python"


def has(module: str) -> bool:
    # Found, not imported: importing TensorFlow takes seconds.
    check = f"import importlib.util, sys; sys.exit(importlib.util.find_spec('{module}') is None)"
    return python().exists() and subprocess.run([python(), "-c", check]).returncode == 0


def prepare(*modules: str) -> set[str]:
    """Makes the environment, installs what is missing, and returns the modules that can be imported."""
    if not python().exists():
        print(f"making a virtual environment in {directory()}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", directory()], stdout=sys.stderr, check=True)
    present = set()
    for module in modules:
        if not has(module):
            print(f"installing {module}", file=sys.stderr)
            pip = [python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES[module]]
            subprocess.run(pip, stdout=sys.stderr)
        if has(module):
            present.add(module)
        else:
            print(f"{module}: absent, pip could not install it", file=sys.stderr)
    return present


def version(module: str) -> str:
    code = f"from importlib.metadata import version; print(version('{PACKAGES[module][0]}'))"
    return subprocess.run([python(), "-c", code], capture_output=True, text=True).stdout.strip()
