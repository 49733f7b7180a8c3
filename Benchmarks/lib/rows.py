"""Rows of results: JSON for programs, a table for people."""

import json
from dataclasses import asdict, dataclass


@dataclass
class Row:
    """`ratio` says how many times better than the peer `value` is, whichever way is better;
    None where a side is missing."""

    row: str
    value: float | None
    unit: str
    peer: str | None
    peer_value: float | None
    ratio: float | None
    goal: float | str | None
    met: bool | None


def compared(row, value, unit, peer, peer_value, goal=None, lower_is_better=True) -> Row:
    """A row whose goal is a ratio."""
    ratio = None
    if value and peer_value:
        ratio = round(peer_value / value if lower_is_better else value / peer_value, 2)
    # A goal that could not be measured is not met.
    met = None if goal is None else ratio is not None and ratio >= goal
    return Row(row, value, unit, peer, peer_value, ratio, goal, met)


def bounded(row, value, unit, peer, peer_value, goal, lower_is_better=False) -> Row:
    """A row whose goal is a bound on our own value."""
    result = compared(row, value, unit, peer, peer_value, None, lower_is_better)
    if goal is not None:
        result.met = value is not None and (value <= goal if lower_is_better else value >= goal)
    result.goal = goal
    return result


def as_json(rows: list[Row]) -> str:
    return "[\n" + ",\n".join("  " + json.dumps(asdict(row)) for row in rows) + "\n]"


def shown(value) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "NO"
        case float():
            return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    return str(value)


def table(titles: list[str], lines: list[list]) -> str:
    """Text to the left, numbers to the right."""
    cells = [[shown(value) for value in line] for line in lines]
    widths = [max(len(title), *(len(line[i]) for line in cells)) for i, title in enumerate(titles)]
    texts = [any(isinstance(line[i], str) for line in lines) for i in range(len(titles))]

    def joined(line):
        return "  ".join(c.ljust(w) if text else c.rjust(w) for c, w, text in zip(line, widths, texts)).rstrip()

    return "\n".join([joined(titles), joined(["-" * w for w in widths]), *map(joined, cells)])
