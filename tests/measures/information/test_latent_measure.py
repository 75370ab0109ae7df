"""Latent mutual information of every layer of a checkpoint."""

from __future__ import annotations

import math

import numpy as np
import pytest

from layerscope.config.sections.information import InformationConfig
from layerscope.measures.estimation import Estimation

from ..flat_world import measured


def world(count, informative):
    """Features around one of three places, of the class or of any."""
    rng = np.random.default_rng(0)
    labels = np.arange(count) % 3
    places = labels if informative else rng.permutation(labels)
    return 4 * np.eye(3)[places] + 0.3 * rng.standard_normal((count, 3)), labels.tolist()


def latent(count, informative, grid=()):
    settings = InformationConfig(latent_dims=2, latent_epochs=15)
    seen = measured(world(count, informative), classes=3, estimation=Estimation(settings, grid=grid))
    rows = [row for name, row in seen.rows if name == "LatentMI"]
    by_size = {(row["variable"], row["n"]): row for row in rows}
    return {**by_size, **{variable: row for (variable, size), row in by_size.items() if size == count}}


@pytest.fixture(scope="module")
def informed():
    return latent(300, informative=True, grid=(210,))


def test_labels_that_places_tell_are_found(informed):
    row = informed["labels"]
    assert row["value"] == pytest.approx(math.log(3), abs=0.15)
    assert (row["unit"], row["n"], row["samples"]) == ("nat", 300, 300)


def test_smaller_samples_are_learnt_from_too(informed):
    row = informed["labels", 210]
    assert (row["samples"], row["status"]) == (210, "ok")
    assert row["value"] == pytest.approx(math.log(3), abs=0.2)
    assert row["value"] != informed["labels"]["value"]


def test_labels_that_nothing_tells_are_not():
    assert abs(latent(300, informative=False)["labels"]["value"]) < 0.15


def test_a_layer_that_copies_the_inputs_knows_more_of_them_than_of_the_labels(informed):
    assert informed["inputs"]["value"] > 1.5 * informed["labels"]["value"]
    assert informed["inputs"]["value"] == pytest.approx(informed["inputs"]["ceiling"], abs=1e-9)
    assert informed["inputs"]["status"] == "degenerate"


def test_the_error_is_what_the_halves_differ_by(informed):
    assert 0 <= informed["labels"]["error"] < 0.2


def test_too_few_samples_are_said_to_tell_nothing():
    row = latent(150, informative=True)["labels"]
    assert math.isnan(row["value"])
    assert row["status"] == "undefined"
    assert row["ceiling"] is None
