"""What values are to be compared with, as series of the report: H(Y), the smallest distance to an ETF."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from layerscope.plotting.matrix.quantities import QUANTITIES
from layerscope.plotting.quantity import Source
from layerscope.plotting.report.measured import Measured, Series


class Compared(NamedTuple):
    """A series of the measure ``measure`` at the place ``series``, and what it is in words."""

    measure: str
    series: int
    name: str


def compared_series(table: Measured, tables: Mapping[str, Measured]) -> list[Compared | None]:
    """For each series of a table what to compare with; None where there is nothing, or nothing of its unit.

    What holds for one number of a measure, such as the information with labels that is matched, holds for all
    its numbers about the same variable.
    """
    return [_of_series(table.measure, series, tables) for series in table.series]


def _of_series(measure: str, series: Series, tables: Mapping[str, Measured]) -> Compared | None:
    for where, sources, name in _rules(measure):
        if not _fits(series, where) or any(_fits(series, one.where) for one in sources):
            continue
        for source in sources:
            place = _place(series, source, tables)
            if place is not None:
                return Compared(source.table, place, name)
    return None


def _rules(measure: str) -> Iterator[tuple[Mapping[str, object], Sequence[Source], str]]:
    """Which numbers of a measure have something beside them, where that is, and its name."""
    for quantity in QUANTITIES.values():
        if quantity.table == measure and quantity.beside:
            of = {key: value for key, value in quantity.where.items() if key == "variable"}
            yield of or quantity.where, quantity.beside, quantity.beside_label


def _place(series: Series, source: Source, tables: Mapping[str, Measured]) -> int | None:
    """The first series of the source that is of the same split and unit."""
    there: Iterable[Series] = tables[source.table].series if source.table in tables else ()
    for place, other in enumerate(there):
        if (other.split, other.unit) == (series.split, series.unit) and _fits(other, source.where):
            return place
    return None


def _fits(series: Series, where: Mapping[str, object]) -> bool:
    return all(series.qualifiers.get(key) == value for key, value in where.items())
