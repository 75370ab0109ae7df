"""Figures by name: of one run, and of many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from layerscope.plotting.matrix.registry import MATRIX_FIGURES, MatrixFigure
from layerscope.plotting.registry import FIGURES, OF_FEATURES, Figure, named

_OF_ONE = "Figures of one run, in its folder plots/"
_OF_FEATURES = "Figures of one run that run its network again, drawn when they are named"
_OF_MANY = "Figures of all runs of a matrix, in the folder figures/ of its save-dir"


class Chosen(NamedTuple):
    """Names of figures of one run, and of many."""

    of_one: list[str]
    of_many: list[str]


def chosen_figures(names: Iterable[str]) -> Chosen:
    """The figures of these names or numbers (case ignored).

    For none, and for the single word ``all``, all that are drawn from tables.

    Raises
    ------
    UsageError
        A name is unknown; the message gives the nearest known ones.
    """
    wanted = list(names)
    if means_all(wanted):
        return Chosen(list(FIGURES), list(MATRIX_FIGURES))
    every: dict[str, Figure | MatrixFigure] = {**FIGURES, **OF_FEATURES, **MATRIX_FIGURES}
    found = named(wanted, every)
    of_many = [name for name in found if name in MATRIX_FIGURES]
    return Chosen([name for name in found if name not in MATRIX_FIGURES], of_many)


def means_all(names: Sequence[str]) -> bool:
    """Whether no figure is named, or all are by the word ``all``."""
    return not names or [name.casefold() for name in names] == ["all"]


def listing() -> str:
    """Every figure: its name, its number, what it shows, and the tables that it needs or else can use."""
    groups = (_group(_OF_ONE, FIGURES), _group(_OF_FEATURES, OF_FEATURES), _group(_OF_MANY, MATRIX_FIGURES))
    return "\n".join(groups)


def _group(title: str, figures: Mapping[str, Figure] | Mapping[str, MatrixFigure]) -> str:
    rows = [
        ("name", "number", "what it shows", "tables it needs"),
        *((name, figure.number, figure.description, _tables(figure)) for name, figure in figures.items()),
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(3)]
    lines = (
        f"  {name:<{widths[0]}}  {number:<{widths[1]}}  {text:<{widths[2]}}  {tables}".rstrip()
        for name, number, text, tables in rows
    )
    return "\n".join([title, *lines]) + "\n"


def _tables(figure: Figure | MatrixFigure) -> str:
    needs = ", ".join(figure.needs)
    any_of = " or ".join(figure.any_of) if isinstance(figure, Figure) else ""
    return " and ".join(part for part in (needs, any_of) if part)
