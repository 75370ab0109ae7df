"""Information measures of features whose information is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from layerscope.config.sections.information import InformationConfig
from layerscope.measures.catalog import OF_PAIRS, SAMPLED
from layerscope.measures.estimation import Estimation

from ..flat_world import measured

CLASSES, EACH = 4, 15


def far_groups(spread=1e-6):
    """Samples of each class in one place, far from the others."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(CLASSES), EACH)
    noise = spread * rng.standard_normal((len(labels), CLASSES))
    return 10 * np.eye(CLASSES)[labels] + noise, labels.tolist()


BOTH = ("train", "test")


def with_settings(repeats=0, grid=(), **settings):
    return Estimation(InformationConfig(**{"bandwidth": 1.0, **settings}), repeats, grid)


@pytest.fixture(scope="module")
def far():
    return measured(far_groups(), classes=CLASSES, estimation=with_settings(times=(1.0, 3.0)))


@pytest.fixture(scope="module")
def noise():
    """Features that know nothing of the labels."""
    rng = np.random.default_rng(1)
    world = rng.standard_normal((CLASSES * EACH, 2)), (np.arange(CLASSES * EACH) % CLASSES).tolist()
    estimation = with_settings(repeats=6, grid=(30,), bandwidth="median")
    return measured(world, classes=CLASSES, estimation=estimation)


def row_of(world, measure, **wanted):
    found = [row for name, row in world.rows if name == measure and wanted.items() <= row.items()]
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize("t", ["1", "3"])
def test_dse_counts_far_groups(far, t):
    value, status = far("DSE", statistic="entropy", t=t)
    assert value == pytest.approx(math.log(CLASSES), abs=1e-6)
    assert status == "ok"


def test_dse_tells_its_ceiling_its_bandwidth_and_its_operator(far):
    row = row_of(far, "DSE", statistic="entropy", t="1")
    assert (row["ceiling"], row["alpha"], row["unit"]) == (math.log(CLASSES * EACH), "0", "nat")
    bandwidth = row_of(far, "DSE", statistic="bandwidth")
    assert (bandwidth["value"], bandwidth["unit"]) == (1.0, "feature")


def test_points_that_all_stand_alone_make_dse_degenerate():
    alone = measured(far_groups(spread=50.0), classes=CLASSES, estimation=with_settings(bandwidth=0.1))
    value, status = alone("DSE", statistic="entropy")
    assert value > 0.99 * math.log(CLASSES * EACH)
    assert status == "degenerate"


def test_labels_of_far_groups_tell_all_about_the_features(far):
    for statistic, more in (("full", {"t": "1"}), ("label_entropy", {})):
        value, _ = far("DSMI", variable="labels", statistic=statistic, **more)
        assert value == pytest.approx(math.log(CLASSES), abs=1e-6)
    matched = row_of(far, "DSMI", variable="labels", statistic="matched", t="1")
    assert matched["status"] == "degenerate"  # as much as random subsets of this size can hold
    assert matched["value"] == pytest.approx(matched["ceiling"], abs=1e-6)


def test_the_inputs_are_clustered_into_the_groups_they_form():
    estimation = with_settings(clusters=CLASSES)
    world = measured(far_groups(spread=0.01), classes=CLASSES, estimation=estimation)
    assert world("DSMI", variable="inputs", statistic="label_entropy")[0] == pytest.approx(math.log(CLASSES))


def test_inputs_are_clustered_once_for_all_layers_and_checkpoints(monkeypatch):
    calls = []
    monkeypatch.setattr(
        "layerscope.measures.estimation.cluster_inputs",
        lambda images, count, seed: calls.append(count) or __import__("torch").zeros(len(images), dtype=int),
    )
    estimation = with_settings()
    for _ in range(2):
        measured(far_groups(), classes=CLASSES, estimation=estimation)
    assert calls == [10]


@pytest.mark.parametrize("binning", ["minmax:30", "per_unit:2"])
def test_binned_features_that_name_the_class_hold_its_entropy(far, binning):
    for statistic in ("labels", "inputs"):
        value, status = far("BinnedMI", binning=binning, statistic=statistic)
        assert value == pytest.approx(math.log(CLASSES))
        assert status == "ok"
    assert far("BinnedMI", binning=binning, statistic="unique_fraction")[0] == 1 / EACH


def test_code_words_of_their_own_make_binning_degenerate(noise):
    value, status = noise("BinnedMI", binning="minmax:30", statistic="labels", n=CLASSES * EACH)
    assert status == "degenerate"
    assert value > 0.5 * math.log(CLASSES)  # of features that know nothing: the fault of the method


def test_neighbours_find_what_the_labels_tell_and_that_it_is_all_they_could_find(far):
    row = row_of(far, "KSG", variable="labels")
    assert row["value"] == pytest.approx(row["ceiling"])
    assert row["ceiling"] == pytest.approx(math.log(CLASSES), rel=0.1)
    assert (row["status"], row["components"]) == ("ok", "8")


@pytest.mark.parametrize(("measure", "more"), [("KSG", {}), ("GaussianMI", {"statistic": "unbiased"})])
def test_features_that_know_nothing_of_the_labels_have_next_to_no_information(noise, measure, more):
    row = row_of(noise, measure, variable="labels", n=CLASSES * EACH, **more)
    assert abs(row["value"]) < 0.15


def test_features_that_are_the_inputs_determine_them(noise):
    assert noise("GaussianMI", variable="inputs", statistic="value", n=60) == (math.inf, "infinite")
    assert noise("KSG", variable="inputs", n=60)[1] == "degenerate"


def test_every_estimate_has_its_error_when_halves_are_asked_for(noise):
    estimates = [(name, row) for name, row in noise.rows if name in SAMPLED and row["status"] != "skipped"]
    without = {name for name, row in estimates if row["error"] is None}
    assert without == {"LatentMI"}  # whose error is its own, and which is undefined for so few samples
    assert {name for name, _ in estimates} >= {*SAMPLED} - OF_PAIRS
    entropy = row_of(noise, "DSE", statistic="entropy", n=60)
    assert 0 < entropy["error"] < 0.5 * entropy["value"]


@pytest.mark.parametrize("limit", [1e4, 10.0])
def test_values_outside_fixed_limits_are_counted_and_leave_nothing_defined(limit):
    binning = f"fixed:20:-{limit:g}:{limit:g}"
    found = measured(far_groups(), classes=CLASSES, estimation=with_settings(binnings=(binning,)))
    rows = {row["statistic"]: row for name, row in found.rows if name == "BinnedMI"}
    inside = limit > 100
    assert (rows["outside"]["value"] == 0) is inside and rows["outside"]["unit"] == "count"
    assert {rows[s]["status"] == "undefined" for s in ("labels", "inputs")} == {not inside}
    assert rows["label_entropy"]["value"] == pytest.approx(math.log(CLASSES))
    each = [row["status"] for name, row in found.rows if name == "ClassMI" and row["estimator"] == binning]
    assert {status == "undefined" for status in each} == {not inside}


def test_a_neighbour_graph_has_its_own_row():
    estimation = with_settings(adjacency="knn:5")
    found = measured(far_groups(1.0), classes=CLASSES, estimation=estimation)
    value, status = found("DSE", statistic="adjacency_knn")
    assert status == "ok" and math.log(CLASSES) < value < math.log(CLASSES * EACH)
    assert not [row for name, row in found.rows if name == "DSE" and row["statistic"] == "adjacency"]


def test_smaller_samples_are_measured_too(noise):
    for measure in SAMPLED - OF_PAIRS:
        rows = [row for name, row in noise.rows if name == measure]
        assert {(row["n"], row["samples"]) for row in rows} == {(30, 30), (60, 60)}, measure


def test_a_split_with_no_more_samples_than_neighbours_of_the_bandwidth_is_undefined():
    rng = np.random.default_rng(1)
    large, small = ((rng.standard_normal((count, 2)), [0, 1] * (count // 2)) for count in (30, 8))
    settings = with_settings(bandwidth="knn:8", adjacency=True)
    found = measured(large, small, classes=2, estimation=settings)
    spectral = {"DSE": {}, "DSMI": {"statistic": "full"}, "ClassMI": {"estimator": "dsmi"}}
    for measure, wanted in spectral.items():
        rows = [row for name, row in found.rows if name == measure and wanted.items() <= row.items()]
        statuses = {split: {row["status"] for row in rows if row["split"] == split} for split in BOTH}
        assert statuses["test"] == {"undefined"}, measure
        assert "undefined" not in statuses["train"], measure
    assert found("DSMI", "test", variable="labels", statistic="label_entropy")[0] == pytest.approx(
        math.log(2)
    )


def test_what_the_classes_contribute_is_the_whole(noise):
    wholes = {
        ("ksg", "labels", "any"): row_of(noise, "KSG", variable="labels", n=60),
        ("ksg", "inputs", "any"): row_of(noise, "KSG", variable="inputs", n=60),
        ("dsmi", "labels", "1"): row_of(noise, "DSMI", variable="labels", statistic="full", n=60),
        ("minmax:30", "labels", "any"): row_of(
            noise, "BinnedMI", binning="minmax:30", statistic="labels", n=60
        ),
    }
    for place, whole in wholes.items():
        wanted = dict(zip(("estimator", "variable", "t"), place, strict=True))
        shares = [row_of(noise, "ClassMI", **wanted, **{"class": label}, n=60) for label in range(CLASSES)]
        assert sum(row["value"] for row in shares) / CLASSES == pytest.approx(whole["value"], abs=1e-9)
        if place[0] == "dsmi":
            assert len({row["value"] for row in shares}) == CLASSES


def test_a_class_of_one_sample_has_no_neighbours_of_its_own():
    features = np.random.default_rng(2).standard_normal((9, 2))
    world = measured((features, [0] * 4 + [1] * 4 + [2]), classes=3, estimation=with_settings())
    wanted = {"estimator": "ksg", "variable": "labels"}
    assert [row_of(world, "ClassMI", **wanted, **{"class": label})["status"] for label in range(3)] == [
        "ok",
        "ok",
        "undefined",
    ]


def test_bits_are_nats_over_their_logarithm_of_two(far):
    bits = measured(far_groups(), classes=CLASSES, estimation=with_settings(units="bits", times=(1.0, 3.0)))
    for measure in ("DSE", "DSMI", "BinnedMI", "KSG", "GaussianMI"):
        rows = [(a, b) for (name, a), (_, b) in zip(far.rows, bits.rows, strict=True) if name == measure]
        informations = [(a, b) for a, b in rows if a["unit"] == "nat"]
        assert informations
        for nats, other in informations:
            assert other["unit"] == "bit"
            expected = nats["value"] / math.log(2)
            assert other["value"] == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True)


def test_the_same_seed_gives_the_same_rows(noise):
    rng = np.random.default_rng(1)
    world = rng.standard_normal((CLASSES * EACH, 2)), (np.arange(CLASSES * EACH) % CLASSES).tolist()
    estimation = with_settings(repeats=6, grid=(30,), bandwidth="median")
    again = measured(world, classes=CLASSES, estimation=estimation, batch_size=7)
    for (name, row), (_, same) in zip(noise.rows, again.rows, strict=True):
        if name in ("DSE", "DSMI", "BinnedMI", "KSG", "GaussianMI"):
            assert repr(row) == repr(same)


@pytest.mark.parametrize("samples", [1, 2, 3])
def test_too_few_samples_give_a_status_and_no_error(samples):
    features = np.arange(2.0 * samples).reshape(samples, 2)
    world = measured((features, list(range(samples))), classes=4, estimation=with_settings(repeats=2))
    statuses = {row["status"] for name, row in world.rows if name in ("KSG", "GaussianMI")}
    assert statuses <= {"undefined", "degenerate", "infinite"}
    assert world("DSE", statistic="entropy")[0] <= math.log(samples) + 1e-12
