"""Every text of the figures of many runs can be set by LaTeX, whatever axes and their values are called."""

from __future__ import annotations

import dataclasses

import pytest

from layerscope.plotting.matrix.registry import MATRIX_FIGURES

ODD = "50%_of & #1 ~x^2 {a} \\b <c|d> $y$"
AXES = {
    "Model.model-name": (f"a {ODD}", "mlp_small"),
    "Model.conv-init-std": (0.05, 0.5),
    "Run.run": (0, 1),
}
KINDS = (
    *("CDNV_profile", "CDNV_map", "CDNV_multiples", "KSG_profile", "DSE_accuracy", "NCLayerByAxis"),
    *("Correlations", "InitialisationStudy", "Screening", "Estimators", "EstimatorRuntime"),
)
OF_GROUPS = (
    *("DriftMap", "DriftScaling", "ImbalanceByKind", "ImbalanceShots", "ImbalanceWeightDecay"),
    *("ImbalanceLayerNorm", "DriftEpochs", "DriftLayers", "DriftTail"),
)


def drawn(name, tables):
    figure = MATRIX_FIGURES[name]
    return figure.draw(figure.rows(tables), f"{tables.title} {ODD}")


@pytest.mark.parametrize("name", KINDS)
def test_every_text_survives_latex(name, study, tex, breaks_tex):
    tables = study(AXES, layers=(f"a.{ODD}", "fc"))
    assert breaks_tex(drawn(name, tables)) == []


@pytest.mark.parametrize("name", OF_GROUPS)
def test_every_text_about_groups_survives_latex(name, group, tex, breaks_tex):
    renamed = {
        table: frame.assign(**{"Model.model-name": frame["Model.model-name"].astype(str) + ODD})
        for table, frame in group.frames.items()
        if "Model.model-name" in frame
    }
    assert breaks_tex(drawn(name, dataclasses.replace(group, frames={**group.frames, **renamed}))) == []
