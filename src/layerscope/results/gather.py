"""The CSV texts of many runs as one frame.

Texts of one header are joined and parsed at once, by Arrow: a thousand small parses take longer than a single
one of fifty megabytes, and Arrow reads floats bit for bit in all its versions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from layerscope.config.nearest import suggestion
from layerscope.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from pandas import DataFrame, Series

Texts = Mapping[int, bytes]
"""Number of a run → its CSV text."""


_BATCH = 50
"""Runs that are parsed in one go."""

_PARSERS = 2
"""Batches that are parsed at once, while the next is being read: one of them is left when all are read."""

_NUMBERS: dict[type, Any] = {int: "Int64", float: "float64"}


@dataclass(frozen=True)
class Layout:
    """The columns of one kind of CSV.

    Parameters
    ----------
    whole, floats, texts
        Columns that are always there and never empty (a text may be).
    sparse
        Columns of floats that are always there and may be empty.
    counts
        Columns of whole numbers that are always there and may be empty.
    later
        Of all these, what texts of earlier versions lack.
    others
        What any other column is: "floats", or "words": whatever its cells look like.
    """

    whole: tuple[str, ...]
    floats: tuple[str, ...]
    texts: tuple[str, ...] = ()
    sparse: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    others: str = "words"

    @property
    def names(self) -> tuple[str, ...]:
        """The columns whose kind is known."""
        return (*self.whole, *self.floats, *self.texts, *self.sparse, *self.counts)

    def is_number(self, name: str) -> bool:
        """Whether a column has a number in every row."""
        return name in (*self.whole, *self.floats) or (name not in self.names and self.others == "floats")

    def arrow_type(self, name: str) -> pa.DataType:
        """What Arrow reads a column as."""
        import pyarrow as pa

        if name in (*self.whole, *self.counts):
            return pa.int64()
        if self.is_number(name) or name in self.sparse:
            return pa.float64()
        return pa.dictionary(pa.int32(), pa.string())


class Gathered(NamedTuple):
    """The rows of many runs in the order of their numbers, and the number of the run that each row is of.

    ``damaged``: number of a run → why its text is no table; it has no rows.
    """

    frame: DataFrame
    runs: np.ndarray[Any, np.dtype[np.int64]]
    damaged: dict[int, str]


@dataclass
class _Part:
    """The tables of some runs."""

    tables: list[pa.Table] = field(default_factory=list)
    rows: dict[int, int] = field(default_factory=dict)  # number of a run → how many, in the tables' order
    damaged: dict[int, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)  # all columns that there are

    def parse(self, header: bytes, texts: Texts, layout: Layout, columns: Collection[str]) -> None:
        """Parse all texts at once, or one by one to find the damaged ones."""
        rows = {number: _lines(text) for number, text in texts.items()}
        try:
            self.tables.append(_parse(header, texts.values(), layout, columns, sum(rows.values())))
            self.rows |= rows
            self.names |= set(header.decode().split(","))
        except ValueError as error:
            if len(texts) > 1:
                for number, text in texts.items():
                    self.parse(header, {number: text}, layout, columns)
            else:
                self.damaged |= dict.fromkeys(texts, str(error).strip().splitlines()[0])


def gather(texts: Iterable[tuple[int, bytes]], layout: Layout, columns: Collection[str] = ()) -> Gathered:
    """Parse the texts of many runs into one frame, while the next ones are still being read.

    Parameters
    ----------
    texts
        Number of a run, and its CSV text.
    columns
        Only these; none named is all.

    Raises
    ------
    UsageError
        No text has such a column.
    """
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    with ThreadPoolExecutor(_PARSERS) as parser:
        batches = [parser.submit(_parse_batch, batch, layout, columns) for batch in _batches(texts)]
    parts = [batch.result() for batch in batches]
    rows = {number: count for part in parts for number, count in part.rows.items()}
    damaged = {number: why for part in parts for number, why in part.damaged.items()}
    tables = [table for part in parts for table in part.tables]
    runs = np.repeat(np.array(list(rows), dtype=np.int64), list(rows.values()))
    if not tables:
        return Gathered(pd.DataFrame(), runs, damaged)
    check_columns(columns, sorted(set().union(*(part.names for part in parts))))
    table = pa.concat_tables(tables, promote_options="default").unify_dictionaries()
    if (np.diff(runs) < 0).any():  # tables of another layout come last
        order = np.argsort(runs, kind="stable")
        table, runs = table.take(order), runs[order]
    return Gathered(_to_frame(table, layout), runs, damaged)


def check_columns(wanted: Iterable[str], there: Sequence[str]) -> None:
    """Refuse a column that is not among those that are ``there``."""
    for name in wanted:
        if name not in there:
            raise UsageError(f"there is no column {name!r}; {suggestion(name, there)}")


def _batches(texts: Iterable[tuple[int, bytes]]) -> Iterator[dict[int, bytes]]:
    remaining = iter(texts)
    while batch := dict(islice(remaining, _BATCH)):
        yield batch


def _parse_batch(texts: Texts, layout: Layout, columns: Collection[str]) -> _Part:
    groups: dict[bytes, dict[int, bytes]] = {}
    for number, text in texts.items():
        groups.setdefault(text[: text.find(b"\n") + 1].rstrip() or text, {})[number] = text
    part = _Part()
    for header, group in groups.items():
        part.parse(header, group, layout, columns)
    return part


def _lines(text: bytes) -> int:
    """The number of lines below the header."""
    return text.count(b"\n") - text.endswith(b"\n")


def _parse(
    header: bytes, texts: Iterable[bytes], layout: Layout, columns: Collection[str], rows: int
) -> pa.Table:
    """Texts of one header, with so many rows in all, as one table.

    Raises
    ------
    ValueError
        That is not what they are.
    """
    import pyarrow as pa
    from pyarrow import csv

    names = _checked_names(header, layout)
    wanted = [name for name in names if not columns or name in columns]
    table = csv.read_csv(
        pa.BufferReader(b"".join((header, b"\n", *_bodies(texts)))),
        read_options=csv.ReadOptions(use_threads=False),
        parse_options=csv.ParseOptions(ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(
            column_types={name: layout.arrow_type(name) for name in names},
            include_columns=wanted or names[:1],
            null_values=[""],  # a layer may be called "null"
            strings_can_be_null=True,
        ),
    )
    _check(table, rows, layout)
    return table


def _bodies(texts: Iterable[bytes]) -> Iterator[bytes | memoryview]:
    """What stands below the header of each text, up to the end of its last line."""
    for text in texts:
        yield memoryview(text)[text.find(b"\n") + 1 or len(text) :]
        yield b"" if text.endswith(b"\n") else b"\n"


def _checked_names(header: bytes, layout: Layout) -> list[str]:
    names = header.decode().split(",")
    missing = [name for name in layout.names if name not in names and name not in layout.later]
    if missing:
        raise ValueError(f"columns {', '.join(missing)} are missing")
    if len(set(names)) < len(names):
        raise ValueError("two columns have the same name")
    return names


def _check(table: pa.Table, lines: int, layout: Layout) -> None:
    if table.num_rows != lines:
        raise ValueError(f"{lines} lines hold {table.num_rows} rows")
    for name in table.column_names:
        if layout.is_number(name) and table[name].null_count:
            raise ValueError(f"column {name} has empty cells")


def _to_frame(table: pa.Table, layout: Layout) -> DataFrame:
    frame: DataFrame = table.to_pandas(split_blocks=True)
    for name in frame.columns:
        if name in layout.counts:
            frame[name] = frame[name].astype("Int64")
        elif name not in layout.names and layout.others == "words":
            frame[name] = _as_it_looks(frame[name])
    return frame


def _as_it_looks(words: Series[Any]) -> Series[Any]:
    """Numbers where every word is one; else the categories they were."""
    import pandas as pd

    for kind, dtype in _NUMBERS.items():
        try:
            numbers = pd.Series([kind(word) for word in words.cat.categories], dtype=dtype).array
        except ValueError:
            continue
        column = pd.Series(numbers.take(words.cat.codes.to_numpy(), allow_fill=True), words.index)
        return column.astype("int64") if kind is int and not column.hasnans else column
    return words
