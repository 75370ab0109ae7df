"""The plane of the class means: exact for an exact simplex, steady from checkpoint to checkpoint."""

from __future__ import annotations

import sys
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from layerscope.errors import MissingPackage, UsageError
from layerscope.plotting.registry import OF_FEATURES
from layerscope.plotting.run.projection import class_plane, phate_plane, projection
from layerscope.plotting.run_tables import RunTables


class Checkpoints:
    """Three classes on a triangle in 5 dimensions, turned and tightened from epoch to epoch."""

    checkpoints = SimpleNamespace(epochs=lambda: list(range(0, 20)))

    def features(self, layer: str, split: str, epoch: int | None):
        generator = np.random.default_rng(epoch)
        turn, _ = np.linalg.qr(generator.normal(size=(5, 5)))
        corners = np.eye(3, 5) @ turn
        labels = np.repeat(np.arange(3), 40)
        noise = generator.normal(size=(120, 5)) / (1 + (epoch or 0))
        return corners[labels] + 0.1 * noise, labels


def test_three_means_lie_in_their_plane_at_unit_root_mean_square():
    labels = np.repeat(np.arange(3), 2)
    plane = class_plane(3 + 7 * np.eye(3)[labels], labels)
    assert plane.share == pytest.approx(1.0)
    assert np.linalg.norm(plane.means, axis=1) == pytest.approx(np.ones(3))
    assert np.abs(plane.points - plane.means[labels]).max() < 1e-12


def test_checkpoints_become_panels_whose_class_means_stay_where_they_were():
    figure = projection(Checkpoints(), "fc", title="x")
    assert len(figure.axes) == 6
    means = [axes.collections[1].get_offsets() for axes in figure.axes]
    assert figure.axes[0].get_title().startswith("epoch 0: 100%")
    for one, other in pairwise(means):
        assert np.abs(one - other).max() < 0.2


def test_the_registry_draws_the_last_measured_layer_of_an_open_run():
    row = {"epoch": 3, "split": "train", "statistic": "mean", "value": 0.1, "status": "ok", "classes": 3}
    cdnv = pd.DataFrame([{**row, "layer_index": i, "layer_name": name} for i, name in enumerate(("a", "fc"))])
    figure = OF_FEATURES["Projection"].draw(RunTables({"CDNV": cdnv}, "x", run=Checkpoints()))
    assert figure.legends[0].get_texts()[0].get_text() == "fc, train"
    with pytest.raises(UsageError, match="an open run with a measured layer"):
        OF_FEATURES["Projection"].draw(RunTables({"CDNV": cdnv}))


class StandIn:
    """Takes PHATE's place: the first two features, so that what is asked of it and made of it can be seen."""

    def __init__(self, **asked):
        self.asked.append(asked)

    def fit_transform(self, points):
        return points[:, :2]


@pytest.fixture
def phate(monkeypatch):
    StandIn.asked = []
    monkeypatch.setitem(sys.modules, "phate", SimpleNamespace(PHATE=StandIn))
    return StandIn


def test_phate_is_asked_for_two_dimensions_of_few_samples_with_a_seed(phate):
    labels = np.arange(5000) % 3
    plane = phate_plane(np.random.default_rng(0).normal(size=(5000, 4)) + np.eye(3, 4)[labels], labels)
    assert phate.asked == [{"n_components": 2, "knn": 5, "random_state": 0, "n_jobs": 1, "verbose": 0}]
    assert len(plane.points) == len(plane.labels) == 1000
    assert plane.means.mean(axis=0) == pytest.approx(np.zeros(2), abs=1e-12)
    assert (plane.means**2).sum(axis=1).mean() == pytest.approx(1.0)


def test_panels_of_phate_say_no_share_of_a_plane(phate):
    figure = projection(Checkpoints(), "fc", epochs=[0, 5], title="x", method="phate")
    assert [axes.get_title() for axes in figure.axes] == ["epoch 0", "epoch 5"]
    assert figure.legends[0].get_texts()[0].get_text() == "fc, train, by PHATE"


def test_without_phate_a_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "phate", None)
    with pytest.raises(MissingPackage, match=r"pip install 'layerscope\[phate\]'"):
        projection(Checkpoints(), "fc", method="phate")


def test_phate_keeps_classes_apart_that_are():
    pytest.importorskip("phate")
    labels = np.repeat(np.arange(3), 30)
    points = np.random.default_rng(0).normal(size=(90, 5)) + 20 * np.eye(3, 5)[labels]
    plane = phate_plane(points, labels)
    within = np.linalg.norm(plane.points - plane.means[labels], axis=1)
    assert within.max() < 0.5 * min(np.linalg.norm(plane.means[i] - plane.means[i - 1]) for i in range(3))
    assert plane.parts in (1, 3)  # 1: of a version that does not count them


def test_what_spans_no_plane_is_refused():
    with pytest.raises(UsageError, match="three classes and two features at least"):
        class_plane(np.zeros((4, 2)), np.array([0, 0, 1, 1]))
