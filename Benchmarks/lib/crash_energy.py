"""What the ledger of the crash campaign says of energy, against what is known: the counters, and each job's own run."""

import json
from dataclasses import dataclass
from pathlib import Path

WATTS = 20.0  # of package-0, all the time
IDLE_WATTS, WATTS_PER_CPU = 0.4, 10.0  # of package-1
EDGE = 0.5  # seconds within which mld takes notice of a start or an end
SLACK = 2.0  # joules of package-1 that fall on the edges of a job


@dataclass
class Run:
    """When the processes of an attempt ran, in µs since 1970, and their CPU time in µs."""

    start: int
    end: int
    cpu: int

    @property
    def seconds(self):
        return (self.end - self.start) / 1e6


def runs(state: Path, out: Path, by_files: bool) -> dict[tuple[int, int], Run]:
    """By the records of the supervisors: (job, attempt) -> its run. Where their clock was set, the times are those at
    which the kernel saw the job write its line and the supervisor its record."""
    found = {}
    for record in (state / "jobs").glob("*/exit-*.json"):
        if not record.stat().st_size:
            continue
        said, job = json.loads(record.read_text()), int(record.parent.name)
        run = Run(said["started_at_us"], said["ended_at_us"], said["user_cpu_us"] + said["system_cpu_us"])
        if by_files:
            line = out / str(job)
            if not line.exists():
                continue
            run.start, run.end = line.stat().st_mtime_ns // 1000, record.stat().st_mtime_ns // 1000
        found[job, int(record.stem.split("-")[1])] = run
    return found


def add_domains(campaign, fact, none, within):
    """Each counter as a whole: nothing twice, and all the time either metered or a gap."""
    domains = {name: figures for name, *figures in campaign.query("""
        SELECT d.name, SUM(metered_uj), SUM(metered_us), SUM(gap_us) FROM domain_minutes m
        JOIN domains d ON d.id = m.domain_id GROUP BY d.id""")}
    counted = {f"package-{number}": value for number, value in enumerate(campaign.counted)}
    none("domains missing or not of a counter", sorted(set(domains) ^ set(counted)))
    whole = campaign.seconds * 1e6
    for name, counted_uj in counted.items():
        metered_uj, metered_us, gap_us = domains.get(name, (0, 0, 0))
        fact(f"{name}: counted", counted_uj / 1e6, "J")
        fact(f"{name}: metered", metered_uj / 1e6, "J")
        none(f"{name}: joules counted twice", range(max(0, metered_uj - counted_uj)), "uJ")
        if name == "package-0":
            power = metered_uj / metered_us if metered_us else None
            within(f"{name}: metered power / true power", power and power / WATTS, 0.97, 1.03)
        fact(f"{name}: time metered", metered_us / whole)
        fact(f"{name}: time in gaps", gap_us / whole)
        within(f"{name}: time metered or in gaps", (metered_us + gap_us) / whole, 0.97, 1.001)


def add_jobs(campaign, fact, none, within):
    """Each job: what it was given, and for how long it was given nothing."""
    spans = {(name, job, attempt): (uj, gap) for name, job, attempt, uj, gap in campaign.query("""
        SELECT d.name, job_id, attempt, SUM(active_uj + idle_uj), SUM(gap_us) FROM spans
        JOIN domains d ON d.id = spans.domain_id WHERE account = 'job' GROUP BY d.id, job_id, attempt""")}
    started = {(job, attempt): at for job, attempt, at in campaign.query(
        "SELECT job_id, number, started_us FROM attempts")}
    burning = {row[0] for row in campaign.query("SELECT id, name FROM jobs") if row[1] in campaign.load.burning}
    across, neither, long, rich, wrong = 0, [], [], [], []
    given = least = most = 0.0
    for key, run in runs(campaign.daemon.state, campaign.directory / "out", campaign.is_clock_set).items():
        uj, gap_us = spans.get(("package-0", *key), (0, 0))
        gap = gap_us / 1e6
        name = f"job {key[0]} attempt {key[1]}: ran {run.seconds:.3f} s"
        hits = [at for at in campaign.kills if run.start < at * 1e6 < run.end]
        across += bool(hits)
        if hits and not uj and not gap:
            neither.append(f"{name}, killed {hits[0] - run.start / 1e6:.3f} s after its start")
        # mld's own clock tells when it began the job, unless that was set meanwhile.
        begun, slack = (run.start, EDGE) if campaign.is_clock_set else (started.get(key, run.start), 0.05)
        if gap > (run.end - min(run.start, begun)) / 1e6 + slack:
            long.append(f"{name}, gap {gap:.3f} s")
        metered = max(0.0, run.seconds - gap)
        if uj / 1e6 > WATTS * (metered + EDGE):
            rich.append(f"{name}, gap {gap:.3f} s, {uj / 1e6:.1f} J at {WATTS:.0f} W")
        if key[0] in burning and run.seconds > 0:
            # All draw the same for a CPU second, and such a job has one thread: in a gap it cannot have spent more CPU
            # time than the gap is long, and when metered no more than that was.
            uj, gap_us = spans.get(("package-1", *key), (0, 0))
            joules, cpu, metered = uj / 1e6, run.cpu / 1e6, max(0.0, run.seconds - gap_us / 1e6)
            low = WATTS_PER_CPU * max(0.0, cpu - gap_us / 1e6)
            high = WATTS_PER_CPU * min(cpu, metered) + IDLE_WATTS * metered
            given, least, most = given + joules, least + low, most + high
            if not 0.9 * low - SLACK <= joules <= 1.1 * high + SLACK:
                wrong.append(f"{name}, {cpu:.3f} s of CPU, gap {gap_us / 1e6:.3f} s: {joules:.1f} J, "
                             f"{low:.1f} to {high:.1f} J are possible")
    fact("jobs that ran across a kill", across)
    none("of these with neither energy nor a gap", neither)
    none("jobs with more gap than run time", long)
    none("jobs with more energy than all drew while they ran", rich)
    fact("burning jobs: energy, at least", least, "J")
    fact("burning jobs: energy, at most", most, "J")
    fact("burning jobs: energy given", given, "J")
    within("burning jobs: energy given / at least", given / least if least else None, 0.97, None)
    within("burning jobs: energy given / at most", given / most if most else None, None, 1.03)
    none("burning jobs with an energy that they cannot have drawn", wrong)


def add_events(campaign, fact, none):
    """Every event a job wrote is in the ledger, once: as many figures as there are whole lines in its file."""
    kept = {(job, attempt): count for job, attempt, count in campaign.query(
        "SELECT job_id, attempt, COUNT(*) FROM metrics GROUP BY job_id, attempt")}
    written, differing = 0, []
    for file in (campaign.daemon.state / "jobs").glob("*/events-*.jsonl"):
        key = int(file.parent.name), int(file.stem.split("-")[1])
        lines = 0
        for line in file.read_bytes().split(b"\n")[:-1]:
            try:
                lines += json.loads(line)["event"] == "metric"
            except (ValueError, KeyError, TypeError):
                pass  # A full disk cuts lines short.
        written += lines
        if kept.get(key, 0) != lines:
            differing.append(f"job {key[0]} attempt {key[1]}: wrote {lines}, the ledger has {kept.get(key, 0)}")
    fact("events written by jobs", written)
    none("jobs with events lost or kept twice", differing)
