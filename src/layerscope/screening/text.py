"""A preview of a screening for a person, and for a program."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from layerscope.config.screening import Screening
from layerscope.preview.table import columns, wrapped
from layerscope.screening.preview import Foreseen, ScreeningPreview
from layerscope.screening.screen import Screened
from layerscope.screening.summary import KINDS

_NUMBERS = (3, 4)


def as_json(seen: ScreeningPreview) -> str:
    """The preview as one JSON object."""
    return json.dumps(asdict(seen), indent=2) + "\n"


def as_text(seen: ScreeningPreview, width: int = 100) -> str:
    """The preview as lines."""
    head = (
        f"{_count(seen.networks)} on {seen.data}: {', '.join(seen.measures)} and accuracies → {seen.folder}"
    )
    titles = ["network", "architecture", "weights", "parameters", "features", "accuracy of", ""]
    lines = [head, *columns([titles, *map(_line, seen.networks)], right=_NUMBERS)]
    if seen.problems:
        lines += ["", f"{len(seen.problems)} problem{'s' if len(seen.problems) != 1 else ''}:"]
        lines += [line for problem in seen.problems for line in wrapped(problem, width, "  ", "    ")]
    return "\n".join([*lines, ""])


def _line(one: Foreseen) -> list[str]:
    if one.state == "fails":
        return [one.model, one.architecture, "", "", "", "", one.state]
    kind = KINDS[one.accuracy_kind]
    return [one.model, one.architecture, one.weights, f"{one.parameters:,}", str(one.dim), kind, one.state]


def _count(networks: Sequence[Foreseen]) -> str:
    to_do = sum(one.state == "to do" for one in networks)
    return f"{len(networks)} network{'s' if len(networks) != 1 else ''} ({to_do} to be measured)"


def title_of(screening: Screening, outcomes: Sequence[Screened]) -> str:
    """What the figure is called."""
    there = sum(outcome.error is None for outcome in outcomes)
    networks = f"{there} network{'s' if there != 1 else ''}"
    return f"{screening.config.data.dataset_id} · last features of {networks} on the train split"
