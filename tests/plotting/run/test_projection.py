"""The plane of the class means: exact for an exact simplex, steady from checkpoint to checkpoint."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from layerscope.errors import UsageError
from layerscope.plotting.run.projection import class_plane, projection


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


def test_what_spans_no_plane_is_refused():
    with pytest.raises(UsageError, match="three classes and two features at least"):
        class_plane(np.zeros((4, 2)), np.array([0, 0, 1, 1]))
