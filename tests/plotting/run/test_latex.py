"""Every text of the figures of a run can be set by LaTeX, whatever layers and models are called."""

from __future__ import annotations

import pytest

from layerscope.plotting import FIGURES, RunTables

NAMES = [name for name in FIGURES if not name.endswith("_test") and name not in {"JointPMF", "ImagePairs"}]
ODD = "50%_of & #1 ~x^2 {a} \\b <c|d>"


@pytest.fixture(scope="module")
def tables(every_table):
    """Two layers and two checkpoints under names full of signs that LaTeX has other uses for."""
    return RunTables(every_table([f"a.{ODD}", "fc_$x$"], [0, 5]), f"model {ODD} · digits")


@pytest.mark.parametrize("name", NAMES)
def test_every_text_survives_latex(name, tables, tex, breaks_tex):
    assert breaks_tex(FIGURES[name].draw(tables)) == []
