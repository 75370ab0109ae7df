"""What a user may choose about the look of all figures: their width, and who sets their text."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from layerscope.errors import UsageError

if TYPE_CHECKING:
    from typing_extensions import Unpack

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


class Look(TypedDict, total=False):
    """Keywords of all that draws figures.

    ``columns``: 1 or 2, as wide as so many columns of a paper (3.5 or 7.2 inches); None: as wide as needed.
    ``usetex``: text is set by LaTeX, which must be installed.
    """

    columns: int | None
    usetex: bool


class Drawing(Look, total=False):
    """Keywords of all that draws figures into files: ``force``, those that are up to date, too."""

    force: bool


def look_of(drawing: Drawing) -> Look:
    """What of it is about the look of figures."""
    return {"columns": drawing.get("columns"), "usetex": drawing.get("usetex", False)}


@contextmanager
def figure_options(**look: Unpack[Look]) -> Iterator[None]:
    """While it lasts, figures are drawn and saved so; see :class:`Look`.

    Raises
    ------
    UsageError
        ``columns`` is neither 1 nor 2, or LaTeX is asked for and not here.
    """
    options = Options(**look)
    if options.columns is not None and options.columns not in WIDTHS:
        raise UsageError(f"a figure is 1 or 2 columns wide, not {options.columns!r}.")
    if options.usetex:
        require_tex()
    token = _chosen.set(options)
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
