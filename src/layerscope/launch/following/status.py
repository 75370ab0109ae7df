"""How runs stand, as a person or a program wants to know it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from layerscope.launch.following.standing import Standing, States
from layerscope.launch.following.status_text import coloured, summary, table, troubles
from layerscope.run_folder import RunFolder


def status_table(
    runs: Sequence[RunFolder], states: Sequence[States], *, width: int = 100, colour: bool = False
) -> str:
    """One line for each run, the counts, and what needs somebody, with its log and the way to retry.

    Parameters
    ----------
    width : int
        Columns to write in; only the paths and reasons of what needs somebody are never cut.
    colour : bool
        For a terminal.
    """
    standings = _standings(runs, states)
    paint = coloured if colour else str
    parts = (table(standings, width), [summary(standings)])
    blocks = [*([paint(line) for line in part] for part in parts), troubles(standings)]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def status_json(runs: Sequence[RunFolder], states: Sequence[States]) -> str:
    """The same for programs: one object with ``runs`` and ``counts``."""
    standings = _standings(runs, states)
    counts = Counter(standing.word for standing in standings)
    return (
        json.dumps({"runs": [standing.plain() for standing in standings], "counts": counts}, indent=2) + "\n"
    )


def _standings(runs: Sequence[RunFolder], states: Sequence[States]) -> list[Standing]:
    return [Standing(run, stands) for run, stands in zip(runs, states, strict=True)]
