"""Text of a table to a frame."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerscope.errors import DamagedFile
from layerscope.results.rows import required_columns

if TYPE_CHECKING:
    from pandas import DataFrame

REMEDY = "Run the same command again to measure it anew."
TEXT_COLUMNS = ("split", "layer_name", "status", "reason", "unit", "weighting", "where", "reduce")
WHOLE_COLUMNS = ("samples", "classes", "singletons", "dim")

_FLOATS: dict[str, Callable[[str], Any]] = {  # exact in every version of pandas
    "value": float,
    **dict.fromkeys(("error", "ceiling"), lambda cell: float(cell) if cell else math.nan),
}


def parse_table(path: Path, content: bytes, *, categories: bool = False) -> DataFrame:
    """The frame of a CSV table, every float bit for bit.

    Parameters
    ----------
    categories
        The texts that every table has as categories: for who chooses among rows over and over.

    Raises
    ------
    DamagedFile
        ``content`` is not a table; ``path`` is named as its place.
    """
    import pandas as pd

    try:
        # A layer may be called "null": only an empty cell is missing.
        frame: DataFrame = pd.read_csv(
            io.BytesIO(content),
            keep_default_na=False,
            na_values=[""],
            converters=_FLOATS,
            dtype={
                **dict.fromkeys(TEXT_COLUMNS, "category" if categories else "str"),
                **dict.fromkeys(("epoch", "layer_index"), "int64"),
                **dict.fromkeys(WHOLE_COLUMNS, "Int64"),
            },
        )
        _check_columns(frame)
        return frame
    except (ValueError, TypeError, UnicodeDecodeError) as error:  # pandas' parser errors are ValueErrors
        raise DamagedFile(
            path, f"it is not a table of measurements ({_first_line(error)})", REMEDY
        ) from error


def _check_columns(frame: DataFrame) -> None:
    missing = [name for name in required_columns() if name not in frame.columns]
    if missing:
        raise ValueError(f"columns {', '.join(missing)} are missing")


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
