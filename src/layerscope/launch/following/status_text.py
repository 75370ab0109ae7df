"""How many runs stand, for a person: one line each, the counts, and what needs somebody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from layerscope.launch.following.standing import Standing
from layerscope.status import STAGES, STATES

_GAP = "  "
_SHORTEST_NAME = 24
_SHORTEST_REASON = 12
_MOST_TROUBLES = 20

_GREEN, _YELLOW, _BLUE, _RED, _FAINT = "32", "33", "36", "31", "2"
_COLOURS = {
    **{"done": _GREEN, "running": _BLUE, "queued": _YELLOW, "new": _FAINT, "blocked": _FAINT},
    **dict.fromkeys(("failed", "timed-out", "lost", "cancelled", "stopped"), _RED),
}
_ORDER = (
    "done",
    "measured",
    "trained",
    "running",
    *(word for word in STATES if word not in ("done", "running")),
)

Row = Mapping[str, str]


def table(standings: Sequence[Standing], width: int) -> list[str]:
    """A title and a line per run, none longer than ``width``."""
    rows = [_row(standing) for standing in standings]
    if not rows:
        return []
    shown = [name for name in rows[0] if any(row[name] for row in rows)]
    sizes = {name: max(len(name), *(len(row[name]) for row in rows)) for name in shown}
    _narrow(sizes, width)
    titles = {name: name for name in shown}
    return [
        _GAP.join(_cell(name, row[name], sizes[name]) for name in shown).rstrip() for row in (titles, *rows)
    ]


def summary(standings: Iterable[Standing]) -> str:
    """How many runs stand how: ``412 done · 80 running · 8 failed``."""
    counts = Counter(standing.word for standing in standings)
    return " · ".join(f"{counts[word]:,} {word}" for word in _ORDER if counts[word]) or "no runs"


def troubles(standings: Iterable[Standing]) -> list[str]:
    """What does not go on by itself: why, where to read more, and how to start it again."""
    found = [(standing, stage) for standing in standings for stage in standing.trouble]
    lines = [line for standing, stage in found[:_MOST_TROUBLES] for line in _trouble(standing, stage)]
    if len(found) > _MOST_TROUBLES:
        lines.append(f"… and {len(found) - _MOST_TROUBLES:,} more; --json names them all")
    states = dict.fromkeys(standing.states[stage].state for standing, stage in found)
    if states:
        what = next(iter(states)) if len(states) == 1 else "all"
        lines += ["", f"To start them again: the same command with --retry {what} in place of --status."]
    return lines


def coloured(line: str) -> str:
    """A line of the table or the summary with its states in colour."""
    return " ".join(_paint(word) for word in line.split(" "))


def shortened(text: str, longest: int) -> str:
    """``text`` without its middle, where it is too long: runs differ at the beginning and at the end."""
    if len(text) <= longest:
        return text
    head = (longest - 1) // 3
    return f"{text[:head]}…{text[len(text) - (longest - 1 - head) :]}"


def _row(standing: Standing) -> Row:
    epoch, accuracy = standing.last
    reached = "" if epoch is None else f"{epoch}/{standing.run.config.optimizer.epochs}"
    return {
        "run": standing.run.name,
        **{stage: standing.states[stage].state for stage in STAGES if stage in standing.states},
        "epoch": reached,
        "test": "" if accuracy is None else f"{accuracy:.2%}",
        "job": " ".join(standing.jobs),
        "reason": " ".join(standing.state.reason.split()),
    }


def _narrow(sizes: dict[str, int], width: int) -> None:
    """Take from the reasons, then from the names, then from the reasons again, until all fits."""
    for name, least in (
        ("reason", 2 * _SHORTEST_NAME),
        ("run", _SHORTEST_NAME),
        ("reason", _SHORTEST_REASON),
    ):
        excess = sum(sizes.values()) + len(_GAP) * (len(sizes) - 1) - width
        if name in sizes and excess > 0:
            sizes[name] = max(min(least, sizes[name]), sizes[name] - excess)


def _cell(name: str, text: str, size: int) -> str:
    if name in ("epoch", "test"):
        return text.rjust(size)
    if name == "reason" and len(text) > size:
        return f"{text[: size - 1]}…"
    return shortened(text, size).ljust(size)


def _trouble(standing: Standing, stage: str) -> list[str]:
    state, path = standing.states[stage], standing.log(stage)
    job = f" (job {state.job})" if state.job else ""
    head = f"{standing.run.name}: {stage} {state.state}{job}" + (f": {state.reason}" if state.reason else "")
    return [head, f"  {path}"] if path is not None else [head]


def _paint(word: str) -> str:
    colour = _COLOURS.get(word)
    return f"\033[{colour}m{word}\033[0m" if colour else word
