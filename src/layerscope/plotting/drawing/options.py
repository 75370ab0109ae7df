"""What a user may choose about the look of all figures: their width, and who sets their text."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from layerscope.errors import UsageError

WIDTHS = {1: 3.5, 2: 7.2}
"""Inches of a figure over one or two columns of a journal (89 mm, 183 mm)."""

TEX_PROGRAMS = ("latex", "dvipng", "kpsewhich")


@dataclass(frozen=True)
class Options:
    """``columns``: 1 or 2 columns of a paper, None: as wide as the panels like. ``usetex``: text by LaTeX."""

    columns: int | None = None
    usetex: bool = False

    @property
    def width(self) -> float | None:
        """Inches that every figure takes; None when that is up to the figure."""
        return None if self.columns is None else WIDTHS[self.columns]


_chosen: ContextVar[Options] = ContextVar("options")


def chosen() -> Options:
    """The options in force."""
    return _chosen.get(Options())


@contextmanager
def figure_options(*, columns: int | None = None, usetex: bool = False) -> Iterator[None]:
    """While it lasts, figures are drawn and saved so.

    Raises
    ------
    UsageError
        ``columns`` is neither 1 nor 2, or LaTeX is asked for and not here.
    """
    if columns is not None and columns not in WIDTHS:
        raise UsageError(f"a figure is 1 or 2 columns wide, not {columns!r}.")
    if usetex:
        require_tex()
    token = _chosen.set(Options(columns, usetex))
    try:
        yield
    finally:
        _chosen.reset(token)


def require_tex() -> None:
    """Say which of the programs that LaTeX text takes are not here.

    Raises
    ------
    UsageError
        One of them is missing.
    """
    missing = [name for name in TEX_PROGRAMS if shutil.which(name) is None]
    if missing:
        raise UsageError(
            f"text by LaTeX takes {', '.join(missing)}, which cannot be found; on Debian and Ubuntu: "
            "apt install texlive-latex-extra cm-super dvipng. Without --usetex no LaTeX is needed."
        )
