"""Rows of a measure as text: one order, one spelling, so that the same rows are always the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise, repeat
from numbers import Integral, Real
from operator import itemgetter
from typing import Any

Row = Mapping[str, object]

EPOCH = "epoch"
PLACE = (EPOCH, "split", "layer_name", "layer_index")
RESULT = (
    *("value", "error", "ceiling", "status", "reason", "unit"),
    *("weighting", "where", "reduce", "samples", "classes", "singletons", "dim"),
)
"""What follows the qualifiers: the number with its standard error and its ceiling, which few measures have,
then what it is about."""

LATER = ("reason", "singletons")
"""Columns of a result that tables of earlier versions lack: they are read, and go on, without them."""

CONDITIONS = ("unit", "weighting", "where", "reduce")
"""The columns of a result that tell apart what must not be averaged."""


def columns_of(measure: str, rows: Sequence[Row]) -> tuple[str, ...]:
    """Columns in file order: the place, the measure's own qualifiers, the result.

    Raises
    ------
    ValueError
        There are no rows, a column is missing, or two rows have different columns.
    """
    if not rows:
        raise ValueError(
            f"{measure} gave no rows; a measure that does not apply gives rows of status 'skipped'"
        )
    first = rows[0].keys()
    missing = [name for name in required_columns() if name not in first and name != EPOCH]
    if missing:
        raise ValueError(f"rows of {measure} lack the columns {', '.join(missing)}")
    odd = next((row for row in rows if row.keys() != first), None)
    if odd is not None:
        raise ValueError(f"rows of {measure} differ in their columns: {sorted(first ^ odd.keys())}")
    qualifiers = tuple(name for name in rows[0] if name not in PLACE and name not in RESULT)
    return (*PLACE, *qualifiers, *(name for name in RESULT if name in first))


def required_columns() -> tuple[str, ...]:
    """Columns that every table has, of whatever version."""
    return tuple(name for name in (*PLACE, *RESULT) if name not in LATER)


def key_columns(columns: Sequence[str]) -> tuple[str, ...]:
    """Columns that tell the rows of one epoch apart, in the order the rows are sorted by."""
    qualifiers = (name for name in columns if name not in PLACE and name not in RESULT)
    return ("split", "layer_index", "layer_name", *qualifiers)


def format_rows(measure: str, epoch: int, rows: Sequence[Row], columns: Sequence[str]) -> bytes:
    """Sorted CSV lines of the ``rows`` of one epoch, without a header.

    Floats are written with ``repr`` and so read back bit for bit; None is an empty cell.

    Raises
    ------
    ValueError
        Two rows have the same key, a row says it is of another epoch, or a cell is neither number nor text.
    """
    ordered = _sorted(measure, rows, key_columns(columns))
    cells: list[Iterable[str]] = [repeat(str(epoch))]
    cells += [
        _column_text(measure, name, [row[name] for row in ordered]) for name in columns if name != EPOCH
    ]
    _refuse_other_epochs(measure, epoch, rows)
    return "".join(f"{','.join(line)}\n" for line in zip(*cells, strict=False)).encode()


def format_header(columns: Sequence[str]) -> bytes:
    """The first line of a table."""
    return f"{','.join(columns)}\n".encode()


def _sorted(measure: str, rows: Sequence[Row], names: Sequence[str]) -> list[Row]:
    key: Callable[[Row], tuple[Any, ...]] = itemgetter(*names)
    try:
        ordered = sorted(rows, key=key)
    except TypeError:  # an empty cell among numbers
        ordered = sorted(rows, key=lambda row: tuple(map(_typed, key(row))))
    for one, other in pairwise(map(key, ordered)):
        if one == other:
            raise ValueError(f"{measure} gave two rows for {dict(zip(names, one, strict=True))}")
    return ordered


def _typed(cell: object) -> tuple[int, Any]:
    if cell is None:
        return (0, 0)
    return (2 if isinstance(cell, str) else 1, cell)


def _refuse_other_epochs(measure: str, epoch: int, rows: Sequence[Row]) -> None:
    if EPOCH in rows[0]:
        for said in {row[EPOCH] for row in rows} - {epoch}:
            raise ValueError(f"{measure} gave a row of epoch {said} among those of epoch {epoch}")


def _column_text(measure: str, name: str, cells: list[Any]) -> list[str]:
    kinds = set(map(type, cells))
    if kinds == {float} or kinds == {int}:  # nearly all cells: no call of ours for each
        return list(map(repr, cells))
    if kinds == {type(None)}:
        return [""] * len(cells)
    try:
        if kinds == {str}:
            known = {text: _quoted(text) for text in set(cells)}
            return [known[text] for text in cells]
        return [_cell_text(cell) for cell in cells]
    except ValueError as error:
        raise ValueError(f"column {name} of {measure}: {error}") from error


def _cell_text(cell: object) -> str:
    if isinstance(cell, str):
        return _quoted(cell)
    if isinstance(cell, Integral):
        return str(int(cell))
    if isinstance(cell, Real):
        return repr(float(cell))
    if cell is None:
        return ""
    raise ValueError(f"{cell!r} is a {type(cell).__name__}, not a number or a text")


def _quoted(text: str) -> str:
    if not text.isprintable():
        raise ValueError(f"{text!r} holds characters that cannot be printed")
    if "," in text or '"' in text:
        return '"' + text.replace('"', '""') + '"'
    return text
