"""From a run folder to its figures on disk."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from layerscope.errors import DamagedFile, MissingPackage, UsageError
from layerscope.plotting import FIGURES, NCPlotter
from layerscope.plotting.freshness import drawable, plot_paths
from layerscope.plotting.registry import named_figures
from layerscope.results import TableStore

LAYERS = ["block0.fc", "block1.fc", "fc"]


def touch(folder: Path, name: str) -> None:
    """Pretend that a figure has been drawn."""
    for path in plot_paths(folder, name):
        path.parent.mkdir(exist_ok=True)
        path.touch()


def test_all_figures_are_drawn_as_pdf_and_png_and_only_once(small_run):
    plotter, possible = NCPlotter(small_run), drawable(small_run, FIGURES)
    assert not plotter.up_to_date()
    for name in set(possible) - {"CDNV", "NCC"}:
        touch(small_run, name)
    written = plotter.plot()
    assert {path.name for path in written} == {
        f"{name}.{kind}" for name in ("CDNV", "NCC") for kind in ("pdf", "png")
    }
    assert all(path.stat().st_size > 5000 for path in written)
    assert plotter.up_to_date()
    assert plotter.plot() == []


def test_figures_of_features_are_drawn_when_named_and_take_the_open_run(small_run, monkeypatch):
    (small_run / "checkpoints").mkdir()
    (small_run / "checkpoints" / "manifest.json").write_text("{}")
    with pytest.raises(UsageError, match=r"Projection is drawn from features.*Run\.open"):
        NCPlotter(small_run).plot(["F32"])
    labels = np.arange(30) % 3
    run = SimpleNamespace(
        checkpoints=SimpleNamespace(epochs=lambda: [0, 10]),
        features=lambda layer, split, epoch: (np.eye(3)[labels] * (1 + epoch), labels),
    )
    monkeypatch.setitem(sys.modules, "phate", None)
    written = NCPlotter(small_run, run).plot(["F32"])
    assert [path.name for path in written] == ["Projection.pdf", "Projection.png"]
    with pytest.raises(MissingPackage, match="pip install"):
        NCPlotter(small_run, run).plot(["ProjectionPHATE"])
    assert "Projection" not in drawable(small_run, named_figures(None))


def test_a_changed_table_redraws_the_figures_made_from_it(small_run):
    plotter = NCPlotter(small_run)
    plotter.plot(["NCC", "WeightSVs", "Accuracy"])
    later = (small_run / "plots" / "NCC.pdf").stat().st_mtime_ns + 10**9
    os.utime(small_run / "measurements" / "NCC.csv", ns=(later, later))
    assert not plotter.up_to_date()
    assert {path.stem for path in plotter.plot(["NCC", "WeightSVs", "Accuracy"])} == {"NCC"}


def test_a_table_is_read_once_for_all_figures_until_it_changes(small_run, monkeypatch):
    read: list[str] = []
    original = TableStore.read

    def counted(store: TableStore, measure: str, **how: Any) -> object:
        read.append(measure)
        return original(store, measure, **how)

    monkeypatch.setattr(TableStore, "read", counted)
    plotter = NCPlotter(small_run)
    plotter.plot(["CDNV"])
    plotter.plot(["NC1"])
    assert read == ["CDNV", "NC1"]
    later = (small_run / "plots" / "NC1.pdf").stat().st_mtime_ns + 10**9
    os.utime(small_run / "measurements" / "NC1.csv", ns=(later, later))
    plotter.plot(["NC1"])
    assert read == ["CDNV", "NC1", "NC1"]


def test_a_new_nc_layer_redraws_the_figures_that_mark_it(small_run):
    plotter = NCPlotter(small_run)
    plotter.plot(["WeightSVs", "Accuracy"])
    later = (small_run / "plots" / "WeightSVs.pdf").stat().st_mtime_ns + 10**9
    os.utime(small_run / "measurements" / "CDNV.csv", ns=(later, later))
    assert {path.stem for path in plotter.plot(["WeightSVs", "Accuracy"])} == {"WeightSVs"}


def test_a_figure_without_its_png_is_drawn_again(small_run):
    plotter = NCPlotter(small_run)
    plotter.plot(["NCC"])
    (small_run / "plots" / "NCC.png").unlink()
    assert len(plotter.plot(["NCC"])) == 2


def test_the_same_tables_give_the_same_bytes_in_another_process(small_run):
    figures = ["CDNV", "Accuracy"]
    first = {path: path.read_bytes() for path in NCPlotter(small_run).plot(figures)}
    code = (
        "import sys, pathlib; from layerscope.plotting import NCPlotter;"
        f"NCPlotter(pathlib.Path(sys.argv[1])).plot({figures}, force=True)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "1"}
    subprocess.run([sys.executable, "-c", code, str(small_run)], check=True, env=environment)
    assert {path: path.read_bytes() for path in first} == first


def test_files_carry_no_date_and_embed_their_fonts(small_run):
    pdf, png = (path.read_bytes() for path in NCPlotter(small_run).plot(["NC1"]))
    assert b"CreationDate" not in pdf
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf
    assert not re.search(rb"tEXt(Software|Creation|date)", png)


def test_only_figures_whose_tables_are_there_are_drawn(synthetic, caplog):
    folder = synthetic.write(LAYERS, [0, 1])
    for name in ("NC1", "Traces"):
        (folder / "measurements" / f"{name}.csv").unlink()
    plotter = NCPlotter(folder)
    assert plotter.plot(["NC1", "NC1_test"]) == []
    assert "NC1 is not drawn" in caplog.text
    assert {path.stem for path in plotter.plot(["Traces", "ETF"])} == {"ETF"}


def test_a_run_measured_on_one_split_has_no_twins_and_is_up_to_date(synthetic):
    folder = synthetic.write(LAYERS, [0, 1], splits=("train",))
    plotter = NCPlotter(folder)
    possible = drawable(folder, FIGURES)
    assert possible
    assert not any(name.endswith("_test") for name in possible)
    assert not plotter.up_to_date()
    for name in possible:
        touch(folder, name)
    assert plotter.up_to_date()


def test_a_run_that_is_trained_but_not_measured_shows_its_accuracy(synthetic):
    folder = synthetic.write(LAYERS, [0, 3])
    for path in (folder / "measurements").iterdir():
        path.unlink()
    assert {path.stem for path in NCPlotter(folder).plot()} == {"Accuracy", "Training", "Overview"}


def test_a_table_that_holds_nothing_for_a_figure_becomes_a_page_that_says_so(synthetic, caplog):
    def skip(measure: str, row: dict[str, object]) -> dict[str, object]:
        return {**row, "status": "skipped"} if measure == "WeightSVs" else row

    folder = synthetic.write(LAYERS, [0, 1], spoil=skip)
    with caplog.at_level("INFO"):
        assert len(NCPlotter(folder).plot(["WeightSpectra"])) == 2
    assert "holds no row that applies to this run" in caplog.text
    assert NCPlotter(folder).plot(["WeightSpectra"]) == []


@pytest.mark.parametrize(("columns", "inches"), [(1, 3.5), (2, 7.2)])
def test_a_figure_takes_the_width_of_a_column(small_run, columns, inches):
    from PIL import Image

    _, png = NCPlotter(small_run).plot(["ETF"], columns=columns)
    with Image.open(png) as image:
        assert image.width == pytest.approx(200 * inches, abs=1)


def test_text_by_latex_is_refused_without_latex(small_run, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UsageError, match="text by LaTeX takes latex, dvipng"):
        NCPlotter(small_run).plot(["ETF"], usetex=True)
    with pytest.raises(UsageError, match="1 or 2 columns wide, not 3"):
        NCPlotter(small_run).plot(["ETF"], columns=3)


def test_an_empty_folder_has_nothing_to_draw(tmp_path):
    assert NCPlotter(tmp_path).up_to_date()
    assert NCPlotter(tmp_path).plot() == []


def test_a_damaged_table_is_named(small_run):
    path = small_run / "measurements" / "CDNV.csv"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(DamagedFile, match=r"CDNV\.csv"):
        NCPlotter(small_run).plot(["CDNV"])
    assert not (small_run / "plots").exists()


def test_a_damaged_log_is_named(small_run):
    (small_run / "log.csv").write_text("epoch,train_accuracy\n0,abc\n", encoding="utf-8")
    with pytest.raises(DamagedFile, match=r"log\.csv: it is not a training log"):
        NCPlotter(small_run).plot(["Accuracy"])


def test_matplotlib_is_left_as_it_was(small_run):
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    NCPlotter(small_run).plot(["CDNV"])
    assert dict(mpl.rcParams) == before


def test_an_unknown_figure_is_refused(small_run: Path):
    with pytest.raises(UsageError, match="did you mean ETF"):
        NCPlotter(small_run).plot(["ETFF"])


def test_plot_runs_draws_the_chosen_runs(synthetic, tmp_path):
    for name, data in (("a", "digits"), ("b/c", "digits"), ("d", "fashionmnist")):
        synthetic.write(["fc"], [0, 1], data=data)
        shutil.copytree(synthetic.folder, tmp_path / "logs" / name)
    wanted = {"Data": {"dataset-id": "digits"}}
    written = NCPlotter.plot_runs(tmp_path / "logs", wanted, figures=["NCC"])
    assert [str(path.relative_to(tmp_path / "logs")) for path in written] == [
        f"{run}/plots/NCC.{kind}" for run in ("a", "b/c") for kind in ("pdf", "png")
    ]
    assert NCPlotter.plot_runs(tmp_path / "logs", wanted, figures=["NCC"]) == []


def test_plot_runs_of_a_folder_without_runs_says_so(tmp_path):
    with pytest.raises(UsageError, match="there is no run below"):
        NCPlotter.plot_runs(tmp_path / "nowhere")
