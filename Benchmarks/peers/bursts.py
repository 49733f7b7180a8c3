"""How a peer is measured: it gets ready once, then runs a burst of steps whenever a line comes on standard input, so
that several programs can take turns on one machine. It prints a JSON line when ready and one per burst."""

import argparse
import json
import resource
import statistics
import sys
import time


def arguments(description, workloads):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("workload", choices=workloads)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3, help="length of a burst")
    return parser.parse_args()


class Clock:
    """Wall and CPU milliseconds of each step."""

    def __init__(self):
        self.wall, self.cpu = [], []

    def start(self):
        self.started = time.perf_counter(), time.process_time()

    def stop(self):
        self.wall.append((time.perf_counter() - self.started[0]) * 1e3)
        self.cpu.append((time.process_time() - self.started[1]) * 1e3)

    def values(self):
        return {
            "steps": len(self.wall),
            "ms_per_step_median": round(statistics.median(self.wall), 3),
            "ms_min": round(min(self.wall), 3),
            "cpu_ms_median": round(statistics.median(self.cpu), 3),
        }


def serve(description, burst):
    """burst: () -> (Clock, last loss). `description` goes into every line."""
    print(json.dumps(description | {"ready": True}), flush=True)
    for _ in sys.stdin:
        clock, loss = burst()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        line = description | clock.values() | {"rss_peak_mb": round(peak), "loss": round(float(loss), 5)}
        print(json.dumps(line), flush=True)
