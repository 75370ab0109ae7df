"""NCPlotter: the figures of a run folder, and of all the runs below a folder."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerscope.config import Config, load_config
from layerscope.errors import MissingPackage, UsageError
from layerscope.plotting.drawing.options import Drawing, Look, figure_options, look_of
from layerscope.plotting.drawing.title import run_title
from layerscope.plotting.freshness import drawable, outdated, plot_paths
from layerscope.plotting.matrix.plots import MatrixPlots
from layerscope.plotting.matrix.registry import MATRIX_FIGURES
from layerscope.plotting.registry import FIGURES, FORMATS, OF_FEATURES, Figure, named, named_figures
from layerscope.plotting.run_tables import Kept, OpenRun, RunTables
from layerscope.results.run_filter import matching_runs

if TYPE_CHECKING:
    from typing_extensions import Unpack

_log = logging.getLogger(__name__)


class NCPlotter:
    """Draws the figures of one run into its folder ``plots``.

    Parameters
    ----------
    run_folder
    run
        The same run, open: some figures are drawn from features of its network.
    """

    def __init__(self, run_folder: Path, run: OpenRun | None = None) -> None:
        self.run_folder = Path(run_folder)
        self.run = run
        self._kept: Kept = {}

    def up_to_date(self) -> bool:
        """Whether every figure that can be drawn is there and newer than its tables; reads no table."""
        return not outdated(self.run_folder, drawable(self.run_folder, FIGURES))

    def plot(self, figures: Sequence[str] | None = None, **drawing: Unpack[Drawing]) -> list[Path]:
        """Draw figures as PDF and PNG; those newer than their tables only when ``force``.

        A figure whose tables are there but hold nothing for it becomes a page that says so.

        Parameters
        ----------
        figures
            Names of figures; None is all of them whose tables are there.
        drawing
            ``force, columns, usetex``: see :class:`~layerscope.plotting.drawing.options.Drawing`.

        Returns
        -------
        list of Path
            The files written.

        Raises
        ------
        UsageError
            A figure of that name is unknown, ``columns`` is neither 1 nor 2, or there is no LaTeX; or a
            figure takes features, and there is no open run to give them.
        DamagedFile
            A table is not what was written.
        """
        wanted = named_figures(figures)
        possible = drawable(self.run_folder, wanted)
        if figures is not None:
            self._check_features(wanted)
            self._name_missing(wanted, possible)
        due = possible if drawing.get("force") else outdated(self.run_folder, possible)
        with figure_options(**look_of(drawing)):
            return self.draw(due)

    @staticmethod
    def plot_runs(
        base_dir: Path | str,
        filter: Mapping[str, object] | None = None,
        *,
        figures: Sequence[str] | None = None,
        **drawing: Unpack[Drawing],
    ) -> list[Path]:
        """Draw the figures of every run below ``base_dir`` whose config holds ``filter``.

        Parameters
        ----------
        filter
            Nested like a config: ``{"Data": {"dataset-id": "fashionmnist"}}``.
        figures, drawing
            As of :meth:`plot`.

        Raises
        ------
        UsageError
            There is no run, none has such a key, or none matches.
        """
        folders = matching_runs(Path(base_dir), filter or {})
        return [path for folder in folders for path in NCPlotter(folder).plot(figures, **drawing)]

    @staticmethod
    def plot_matrix(
        base_dir: Path | str, figures: Sequence[str] | None = None, **drawing: Unpack[Drawing]
    ) -> list[Path]:
        """Draw the figures of all runs below ``base_dir`` together, into its folder ``figures``.

        Parameters
        ----------
        figures
            Names of :data:`~layerscope.plotting.matrix.registry.MATRIX_FIGURES`; None is all for which the
            runs have what it takes.
        drawing
            As of :meth:`plot`.

        Raises
        ------
        UsageError
            There is no run, no figure of that name, or none of those that are named can be drawn.
        """
        names = None if figures is None else list(named(figures, MATRIX_FIGURES))
        with figure_options(**look_of(drawing)):
            return MatrixPlots(base_dir).draw(names, force=drawing.get("force", False))

    @staticmethod
    def plot_screening(folder: Path | str, title: str = "", **look: Unpack[Look]) -> list[Path]:
        """Draw F31 of the networks in ``screen.csv`` of ``folder``, into its folder ``figures``.

        Parameters
        ----------
        look
            ``columns, usetex``: see :class:`~layerscope.plotting.drawing.options.Look`.

        Raises
        ------
        UsageError
            There is no such table, or no network in it was measured.
        """
        from layerscope.plotting.drawing.saving import save
        from layerscope.plotting.matrix.screened import screened_frame

        place = Path(folder)
        rows = screened_frame(place / "screen.csv")
        paths = [place / "figures" / f"Screening.{extension}" for extension in FORMATS]
        with figure_options(**look):
            save(MATRIX_FIGURES["Screening"].draw(rows, title or place.name), paths)
        return paths

    def draw(self, figures: Mapping[str, Figure]) -> list[Path]:
        """Draw these figures, up to date or not; the files written, as of :meth:`plot`.

        Raises
        ------
        MissingPackage
            The only figure takes a package that is not installed; among others, it is named in a warning.
        """
        if not figures:
            return []
        from layerscope.plotting.drawing.message import message
        from layerscope.plotting.drawing.saving import save

        tables = self._tables(name for figure in figures.values() for name in figure.inputs)
        written = []
        for name, figure in figures.items():
            paths = plot_paths(self.run_folder, name, figure.formats)
            try:
                drawn = figure.draw(tables)
            except MissingPackage as error:
                if len(figures) == 1:
                    raise
                _log.warning("%s of %s is not drawn: %s", name, self.run_folder, error)
                continue
            except UsageError as error:
                _log.info("%s of %s shows nothing: %s", name, self.run_folder, error)
                drawn = message(tables.title, f"{name}: {error}")
            save(drawn, paths)
            written += paths
        return written

    @cached_property
    def _config(self) -> Config:
        return load_config(self.run_folder / "config.yaml")

    def _tables(self, names: Iterable[str]) -> RunTables:
        about: Any = {"title": run_title(self._config), "tap": self._config.model.tap, "run": self.run}
        return RunTables.load(self.run_folder, dict.fromkeys(names), kept=self._kept, **about)

    def _check_features(self, wanted: Mapping[str, Figure]) -> None:
        for name in wanted:
            if name in OF_FEATURES and self.run is None:
                raise UsageError(
                    f"{name} is drawn from features, which take the open run: "
                    "NCPlotter(folder, layerscope.Run.open(folder))"
                )

    def _name_missing(self, wanted: Mapping[str, Figure], possible: Mapping[str, Figure]) -> None:
        for name in wanted.keys() - possible.keys():
            needs = " and ".join(wanted[name].needs) or " or ".join(wanted[name].any_of)
            _log.warning("%s is not drawn: %s lacks the tables %s it needs", name, self.run_folder, needs)
