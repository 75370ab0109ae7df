"""How every figure looks: fonts, sizes in inches, and one colour for one meaning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar

import matplotlib as mpl
from matplotlib.colors import to_hex

from layerscope.plotting.drawing.fonts import house_font
from layerscope.plotting.drawing.options import chosen

MATH_FONTS = tuple(f"mathtext.{style}" for style in ("rm", "it", "bf", "bfit", "sf", "tt", "cal"))

P = ParamSpec("P")
T = TypeVar("T")

STYLE: dict[str, Any] = {
    "mathtext.fontset": "custom",
    "mathtext.default": "regular",  # upright, so that one font does for all
    "text.usetex": False,
    "text.hinting": "none",  # a quarter of the time of all text, for dots larger than those of a picture
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "axes.titley": 1.0,  # a place given is a place matplotlib need not search for, at a third of the time
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "0.91",
    "grid.linewidth": 0.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.2,
    "lines.markeredgewidth": 0.8,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.dpi": 200,
    "savefig.bbox": None,
    "pdf.fonttype": 42,  # fonts that journals and editors accept
    "path.simplify": True,
}

TEX: dict[str, Any] = {
    "text.usetex": True,
    "font.family": "sans-serif",
    "text.latex.preamble": r"\usepackage{amsmath,amssymb}\usepackage{helvet}\usepackage[helvet]{sfmath}",
}
"""What LaTeX needs to set text without serifs, formulas too."""

SPLIT_COLOURS = {"train": "#0072B2", "test": "#D55E00"}
OTHER_COLOURS = {"validation": "#CC79A7", "weights": "0.2", "ood": "#882255"}
GROUP_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "0.2", "#882255")
"""Things without an order, told apart by everybody (Okabe, Ito 2008)."""

CLASS_COLOURS = (*GROUP_COLOURS, "#999933", "#332288")
"""Up to ten classes; the last two are from the palette "muted" of Paul Tol."""

CLASS_GROUP_COLOURS = {
    "overall": "0.2",
    "balanced": "#CC79A7",
    "head": "#009E73",
    "mid": "#E69F00",
    "tail": "#D55E00",
}
LineStyle = Literal["-", "--", ":", "-."]

BELOW: LineStyle = ":"
"""Of what can be reached, or of chance."""

ABOVE: LineStyle = "-."
"""Of ceilings."""

SPLIT_LINES: dict[str, LineStyle] = {"train": "-", "test": "--"}
NC_COLOUR = "#009E73"
REFERENCE_COLOUR = "0.45"
FIRST_COLOUR = "#C8102E"
LAST_COLOUR = "0.0"


def house_style() -> AbstractContextManager[None]:
    """While it lasts, matplotlib draws and saves as our figures need it, whatever is set elsewhere."""
    own = TEX if chosen().usetex else dict.fromkeys(("font.family", *MATH_FONTS), house_font())
    settings: Any = {**STYLE, **own}  # matplotlib types its settings by their names
    return mpl.rc_context(settings)


def styled(draw: Callable[P, T]) -> Callable[P, T]:
    """Let a function draw in the house style, whatever the process has set elsewhere."""

    @wraps(draw)
    def in_style(*args: P.args, **kwargs: P.kwargs) -> T:
        with house_style():
            return draw(*args, **kwargs)

    return in_style


def epoch_colours(epochs: Sequence[int]) -> dict[int, str]:
    """Light to dark for first to last, so that the trained network stands out; without the pale end."""
    if len(epochs) < 2:
        return dict.fromkeys(epochs, shades("viridis", 1, 0.3, 0.3)[0])
    return dict(zip(epochs, shades("viridis", len(epochs), 0.86, 0.0), strict=True))


def depth_colours(layers: Sequence[int]) -> dict[int, str]:
    """Light to dark from the first to the last layer, in other colours than those of epochs."""
    if len(layers) < 2:
        return dict.fromkeys(layers, shades("plasma", 1, 0.35, 0.35)[0])
    return dict(zip(layers, shades("plasma", len(layers), 0.88, 0.0), strict=True))


def class_colours(count: int) -> list[str]:
    """A colour per class: told apart by hue up to ten, then shades of a circle."""
    if count <= len(CLASS_COLOURS):
        return list(CLASS_COLOURS[:count])
    return shades("twilight_shifted", count, 0.05, 0.95)


def shades(name: str, count: int, first: float, last: float) -> list[str]:
    """``count`` colours of a map, evenly from place ``first`` to place ``last``."""
    palette = mpl.colormaps[name]
    step = (last - first) / max(count - 1, 1)
    return [to_hex(palette(first + place * step)) for place in range(count)]
