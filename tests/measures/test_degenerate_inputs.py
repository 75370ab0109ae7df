"""Inputs at the edge: tables of a run say what docs/measures.md says, and every figure shows it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pandas
import pytest

from layerscope.errors import UsageError
from layerscope.measures.catalog import OF_PAIRS, SAMPLED
from layerscope.measures.registry import MEASURES
from layerscope.plotting import FIGURES, RunTables

from .edge_runs import EDGES, run_of

DOCS = Path(__file__).parents[2] / "docs" / "measures.md"
ELSEWHERE = SAMPLED | OF_PAIRS | {"MinorityCollapse"}  # the text says of them what they do
NOT_DRAWN = {"Observations", "ImagePairs"}  # of files that no measure makes


def table(heading: str) -> list[list[str]]:
    """Cells of the table of the section that begins with a column of this name."""
    text = DOCS.read_text(encoding="utf-8").partition("## Degenerate inputs")[2]
    found = re.search(rf"^\| {heading} \|.*?(?=\n\n)", text, re.M | re.S)
    lines = found.group(0).splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in (lines[0], *lines[2:])]


CASES, *ROWS = table("table")
REASONS = {word for names, _ in table("`reason`")[1:] for word in re.findall(r"`(\w+)`", names)}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Every case, trained and measured."""
    found = {}
    for case, edge in EDGES.items():
        folder = tmp_path_factory.mktemp("edge")
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(folder)
            found[case] = run_of(edge, folder)
            found[case].train(device="cpu")
            found[case].measure(device="cpu")
            sys.modules.pop("edge_model")
    return found


@pytest.fixture(params=EDGES)
def case(request):
    return request.param


@pytest.fixture
def run(runs, case):
    return runs[case]


def statuses(rows) -> set[str]:
    """Statuses, of a degenerate one with its reason."""
    pairs = zip(rows["status"], rows["reason"].fillna(""), strict=True)
    return {f"{status} (`{reason}`)" if reason else status for status, reason in pairs}


def test_every_case_is_a_column_and_every_measure_a_row():
    assert CASES[2:] == [*EDGES]
    assert {row[0] for row in ROWS} == set(MEASURES) - ELSEWHERE


def test_the_tables_say_what_is_documented(run, case):
    left = {name: run.tables.read(name) for name in set(MEASURES) - ELSEWHERE}
    for name, values, *cells in ROWS:
        frame, wanted = left[name], [set(each.split()) for each in re.findall(r"`([^`]+)`", values)]
        words = map(set, frame[list(MEASURES[name].qualifiers)].astype(str).to_numpy().tolist())
        meant = np.array([not wanted or any(each <= word for each in wanted) for word in words], dtype=bool)
        assert statuses(frame[meant]) == {*cells[CASES.index(case) - 2].split(", ")}, (name, values)
        left[name] = frame[~meant]
    assert [name for name, frame in left.items() if len(frame)] == []


def test_every_reason_is_explained(run):
    for name in MEASURES:
        for reason in run.tables.read(name)["reason"].dropna():
            assert set(reason.split("+")) <= REASONS


def drawn(tables):
    """Figures of the train split, by name, with those that are refused apart."""
    figures, refused = {}, {}
    for name in FIGURES.keys() - NOT_DRAWN:
        if not name.endswith("_test"):
            try:
                figures[name] = FIGURES[name].draw(tables)
            except UsageError as error:
                refused[name] = str(error)
    return figures, refused


def says_something(figure):
    panels = [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]
    return panels and all(axes.has_data() or axes.texts for axes in panels)


def test_every_figure_draws_all_the_cases_as_checkpoints_of_one_run(runs):
    frames = {
        name: pandas.concat(
            [run.tables.read(name).assign(epoch=place) for place, run in enumerate(runs.values())]
        )
        for name in MEASURES
    }
    figures, refused = drawn(RunTables(frames, "all that can go wrong"))
    assert refused == {}
    assert [name for name, figure in figures.items() if not says_something(figure)] == []


def test_a_figure_says_why_its_markers_are_hollow(runs):
    tables = RunTables.load(runs["two classes"].folder, ["ETF"])
    figure = FIGURES["ETF"].draw(tables)
    assert "○ degenerate: two classes" in " ".join(text.get_text() for text in figure.texts)
    without = {"ETF": tables.frames["ETF"].drop(columns="reason")}  # as tables of earlier versions are
    said = " ".join(text.get_text() for text in FIGURES["ETF"].draw(RunTables(without)).texts)
    assert "○ degenerate" in said
    assert "two classes" not in said
