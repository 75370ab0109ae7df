"""Figures without files, for notebooks: frames in, a matplotlib figure out.

import layerscope as ls
ls.figures.draw("CDNV", run.tables.read("CDNV"))
ls.figures.draw_matrix("CDNV_profile", "logs/mlp_depth")
ls.figures.layer_epoch(run.tables.read("NC1"), {"statistic": "pinv"}, log=True)
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerscope.errors import UsageError
from layerscope.plotting.drawing.options import Look, figure_options
from layerscope.plotting.matrix.registry import MATRIX_FIGURES
from layerscope.plotting.matrix.tables import MatrixTables
from layerscope.plotting.registry import FIGURES, named, named_figures
from layerscope.plotting.run_tables import RunTables

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame
    from typing_extensions import Unpack

__all__ = ["FIGURES", "MATRIX_FIGURES", "draw", "draw_matrix", "figure_options", "layer_epoch", "projection"]


def draw(
    name: str,
    frames: DataFrame | Mapping[str, DataFrame],
    *,
    title: str = "",
    tap: str = "input",
    **look: Unpack[Look],
) -> Figure:
    """Draw a figure of ``layerscope.figures.FIGURES`` from tables.

    Parameters
    ----------
    name
        Its name; case is ignored.
    frames
        Tables by name, ``log`` and ``observations`` among them; a figure of one table takes that alone.
    title
        What is written above; ``tap``: where layers are tapped, written below.
    look
        ``columns, usetex``: see :func:`figure_options`.

    Raises
    ------
    UsageError
        The figure is unknown, a table it needs is missing, or holds nothing for it.
    """
    ((name, figure),) = named_figures([name]).items()
    if not isinstance(frames, Mapping):
        if len(figure.needs) != 1:
            known = ", ".join((*figure.needs, *figure.any_of))
            raise UsageError(f"{name} is drawn from several tables; give them by name: {known}")
        frames = {figure.needs[0]: frames}
    with figure_options(**look):
        return figure.draw(RunTables(frames, title, tap))


def draw_matrix(name: str, base: Path | str, **look: Unpack[Look]) -> Figure:
    """Draw a figure of ``layerscope.figures.MATRIX_FIGURES`` from all runs below a folder.

    Parameters
    ----------
    name
        Its name; case is ignored.
    look
        ``columns, usetex``: see :func:`figure_options`.

    Raises
    ------
    UsageError
        The figure is unknown, or the runs have nothing for it.
    """
    ((_, figure),) = named([name], MATRIX_FIGURES).items()
    tables = MatrixTables.load(Path(base), figure.inputs)
    with figure_options(**look):
        return figure.draw(figure.rows(tables), tables.title)


def layer_epoch(frame: DataFrame, where: Mapping[str, object] | None = None, **look: Any) -> Figure:
    """Layers against checkpoints in colours; see :func:`layerscope.plotting.run.layer_epoch.layer_epoch`."""
    from layerscope.plotting.run import layer_epoch as family

    return family.layer_epoch(frame, where, **look)


def projection(run: Any, layer: str, *arguments: Any, **look: Any) -> Figure:
    """Features in the plane of their class means; see `layerscope.plotting.run.projection`."""
    from layerscope.plotting.run import projection as family

    return family.projection(run, layer, *arguments, **look)
