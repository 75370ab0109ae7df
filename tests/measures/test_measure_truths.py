"""Values known in closed form, and changes of the features that must change nothing."""

import math

import numpy as np
import pytest
import torch

from layerscope.functional import class_alignment, weight_means_correlation

from .flat_world import around, behind, linear, measured, simplex

K, D, S = 5, 16, 0.1
MEANS = simplex(K, D)
SAMPLED = around(MEANS, S)
NETWORK = behind(linear(MEANS))


@pytest.fixture(scope="module")
def frame():
    """A simplex ETF whose classes all vary by S² I, read by a classifier equal to the means."""
    return measured(SAMPLED, classes=K, network=NETWORK)


@pytest.mark.parametrize(
    ("trace", "absolute"), [("within", S**2 * D), ("between", 1.0), ("sum", 1 + S**2 * D)]
)
def test_traces_of_a_simplex_frame(frame, trace, absolute):
    value, status = frame("Traces", trace=trace, scale="absolute")
    relative, _ = frame("Traces", trace=trace, scale="relative")
    assert (value, status) == (pytest.approx(absolute, rel=1e-12), "ok")
    assert relative == pytest.approx(absolute / (1 + S**2 * D), rel=1e-12)


@pytest.mark.parametrize("statistic", ["mean", "median", "max"])
def test_cdnv_of_a_simplex_frame(frame, statistic):
    assert frame("CDNV", statistic=statistic) == (pytest.approx(0.064, rel=1e-12), "ok")


@pytest.mark.parametrize(
    ("statistic", "truth"),
    [("pinv", S**2 * (K - 1) ** 2 / K), ("quotient", S**2 * D), ("range_fraction", (K - 1) / D), ("rank", 4)],
)
def test_nc1_of_a_simplex_frame(frame, statistic, truth):
    assert frame("NC1", statistic=statistic) == (pytest.approx(truth, rel=1e-12), "ok")


@pytest.mark.parametrize(
    "statistic", ["equinorm", "equiangular", "equiangular_std", "etf_error", "etf_floor"]
)
def test_a_simplex_frame_is_one(frame, statistic):
    assert frame("ETF", statistic=statistic) == (pytest.approx(0, abs=1e-14), "ok")


def test_a_moved_mean_is_no_longer_a_simplex_frame():
    moved = MEANS.copy()
    moved[0] *= 2
    found = measured(around(moved, S), classes=K)
    for statistic in ("equinorm", "equiangular", "equiangular_std", "etf_error"):
        assert found("ETF", statistic=statistic)[0] > 0.01


def test_the_floor_of_too_many_classes_is_reached_by_the_best_arrangement():
    angles = 2 * np.pi * np.arange(10) / 10
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    found = measured(around(circle, S), classes=10)
    floor, _ = found("ETF", statistic="etf_floor")
    assert floor == pytest.approx(math.sqrt(2 - 2 * math.sqrt(2 / 9)), rel=1e-12)
    assert found("ETF", statistic="etf_error")[0] == pytest.approx(floor, rel=1e-12)


@pytest.mark.parametrize(
    ("kernel", "truth"),
    [
        ("dist", math.sqrt(2 * K / (K - 1))),
        ("log", -math.log(2 * K / (K - 1)) / 2),
        ("riesz", math.sqrt(2 * K / (K - 1)) ** (2 - D)),
        ("riesz_1", math.sqrt((K - 1) / (2 * K))),
    ],
)
def test_directions_of_a_simplex_frame_are_evenly_spread(frame, kernel, truth):
    assert frame("GNC2", kernel=kernel, statistic="mean") == (pytest.approx(truth, rel=1e-12), "ok")
    assert frame("GNC2", kernel=kernel, statistic="variance") == (pytest.approx(0, abs=1e-28), "ok")


@pytest.mark.parametrize("rows", ["raw", "centered"])
@pytest.mark.parametrize(
    "statistic", ["equinorm", "equiangular", "equiangular_std", "etf_error", "etf_floor"]
)
def test_a_classifier_equal_to_the_means_is_a_simplex_frame(frame, rows, statistic):
    found = frame("ClassifierETF", "weights", rows=rows, statistic=statistic)
    assert found == (pytest.approx(0, abs=1e-14), "ok")


def test_a_classifier_with_a_common_row_is_a_frame_only_when_centered():
    found = measured(SAMPLED, classes=K, network=behind(linear(MEANS + 1)))
    assert found("ClassifierETF", "weights", rows="raw", statistic="etf_error")[0] > 0.1
    assert found("ClassifierETF", "weights", rows="centered", statistic="etf_error")[0] < 1e-12


@pytest.mark.parametrize(
    ("statistic", "truth"),
    [
        *(("frobenius", 0.0), ("etf", 0.0), ("etf_centered", 0.0), ("uniform_variance", 0.0)),
        *(("uniform_variation", 0.0), ("uniform_cosine_variance", 0.0), ("cosine", 1.0), ("bias", 0.0)),
    ],
)
def test_a_classifier_equal_to_the_means_is_self_dual(frame, statistic, truth):
    assert frame("SelfDuality", statistic=statistic) == (pytest.approx(truth, abs=1e-13), "ok")


def test_an_opposite_classifier_is_as_far_from_self_dual_as_can_be():
    found = measured(SAMPLED, classes=K, network=behind(linear(-3 * MEANS, np.arange(5.0))))
    assert found("SelfDuality", statistic="frobenius") == (pytest.approx(4, rel=1e-12), "ok")
    assert found("SelfDuality", statistic="etf") == (pytest.approx(2, rel=1e-12), "ok")
    assert found("SelfDuality", statistic="cosine") == (pytest.approx(-1, rel=1e-12), "ok")
    assert found("SelfDuality", statistic="bias") == (pytest.approx(math.sqrt(30), rel=1e-12), "ok")


def test_a_multiple_of_the_identity_has_every_rank_full():
    network = behind(linear(3 * np.eye(D)), linear(np.zeros((K, D))))
    found = measured(SAMPLED, classes=K, network=network)
    truths = {"stable_rank": D, "effective_rank": D, "participation_ratio": D, "nuclear_rank": D}
    truths |= {"nuclear_frobenius": 4, "approximate_rank_0.9": 15, "cutoff_rank_0.03": D}
    for statistic, truth in truths.items():
        value, status = found("WeightRanks", "weights", statistic=statistic)
        assert (value, status) == (pytest.approx(truth, rel=1e-12), "ok"), statistic


def test_the_nc_layer_is_the_first_below_the_threshold():
    shrink, spread = linear(np.eye(D)), linear(MEANS)
    network = behind(shrink, spread)
    found = measured(SAMPLED, classes=K, network=network, spec=("fc", "more0"))
    assert found("CDNV", statistic="mean")[0] == pytest.approx(0.064, rel=1e-12)
    assert found("NCLayer", layer="network", statistic="first") == (0, "ok")
    assert found("NCLayer", layer="network", statistic="persistent") == (0, "ok")
    loose = measured(around(MEANS, 1.0), classes=K, network=network, spec=("fc", "more0"))
    assert loose("NCLayer", layer="network", statistic="first")[1] == "undefined"


def test_singular_vectors_of_a_weight_meet_the_means_along_them():
    means = 4 + np.diag([1.0, 2, 3, 4, 5])
    features = np.repeat(means, 2, axis=0) + np.tile([[0.1], [-0.1]], (5, 5))
    found = measured(
        (features, np.repeat(range(5), 2)), classes=5, network=behind(linear(np.diag([5.0, 4, 3, 2, 1])))
    )
    for vector in range(5):
        for label in range(5):
            place = {"against": "mean", "weight_vector": vector, "class_vector": label}
            truth = means[label, vector] / np.linalg.norm(means[label])
            assert found("MLPSVD", **place) == (pytest.approx(truth, rel=1e-12), "ok")


@pytest.mark.parametrize("statistic", ["accuracy", "balanced_accuracy", "agreement"])
def test_distant_classes_are_told_apart_as_the_network_does(frame, statistic):
    assert frame("NCC", statistic=statistic) == (1.0, "ok")


def test_agreement_counts_the_bias():
    bias = np.array([0, 0, 0, 0, 100.0])  # the network always says 4
    found = measured(SAMPLED, classes=K, network=behind(linear(MEANS, bias)))
    assert found("NCC", statistic="accuracy") == (1.0, "ok")
    assert found("NCC", statistic="agreement") == (pytest.approx(1 / K), "ok")


def test_the_nearest_mean_is_that_of_the_train_split():
    features, labels = SAMPLED
    moved = np.roll(features, 3, axis=1), labels
    found = measured(SAMPLED, moved, classes=K)
    nearest = ((moved[0][:, None] - MEANS) ** 2).sum(axis=2).argmin(axis=1)
    share = (nearest == np.array(labels)).mean()
    assert found("NCC", "test", statistic="accuracy")[0] == pytest.approx(share, rel=1e-12)
    assert found("NC1", "test", statistic="pinv")[0] == pytest.approx(0.032, rel=1e-12)  # its own means


def test_accuracy_and_loss_of_a_network_that_knows_nothing():
    found = measured(SAMPLED, classes=K)
    assert found("Accuracy", layer="logits", quantity="accuracy") == (1 / K, "ok")
    assert found("Accuracy", layer="logits", quantity="loss") == (pytest.approx(math.log(K), rel=1e-12), "ok")
    found = measured(SAMPLED, classes=K, loss="mseloss")
    assert found("Accuracy", layer="logits", quantity="loss")[0] == pytest.approx(1 / K, rel=1e-12)


def test_accuracy_of_the_self_dual_classifier(frame):
    assert frame("Accuracy", layer="logits", quantity="accuracy") == (1.0, "ok")


def test_a_multiple_of_the_identity_has_a_flat_spectrum():
    network = behind(linear(3 * np.eye(D)), linear(np.zeros((K, D))))
    found = measured(SAMPLED, classes=K, network=network)
    for index in range(D):
        for scale, truth in (("absolute", 3), ("relative", 1 / D), ("cumulative", (index + 1) / D)):
            value, status = found("WeightSVs", "weights", sigma_index=index, scale=scale)
            assert (value, status) == (pytest.approx(truth, rel=1e-12), "ok")


def test_the_spectrum_is_descending_and_its_running_sum_ends_at_one(frame):
    numbers = {
        scale: [frame("WeightSVs", "weights", sigma_index=i, scale=scale)[0] for i in range(K)]
        for scale in ("absolute", "cumulative")
    }
    assert numbers["absolute"] == sorted(numbers["absolute"], reverse=True)
    assert numbers["cumulative"][-1] == pytest.approx(1, rel=1e-12)


def test_a_self_dual_classifier_looks_where_the_means_lie(frame):
    assert frame("AngleBetweenSubspaces", rank=K - 1) == (pytest.approx(1, rel=1e-12), "ok")


def test_a_classifier_that_looks_elsewhere_sees_none_of_the_means():
    basis, _ = np.linalg.qr(
        np.concatenate([MEANS[: K - 1], np.random.default_rng(1).standard_normal((6, D))]).T
    )
    elsewhere = np.diag([5, 4, 3, 2, 1.0]) @ basis[:, K - 1 : 2 * K - 1].T
    found = measured(SAMPLED, classes=K, network=behind(linear(elsewhere)))
    assert found("AngleBetweenSubspaces", rank=K - 1) == (pytest.approx(0, abs=1e-14), "ok")


def rotated(features, weight, bias):
    turn, _ = np.linalg.qr(np.random.default_rng(2).standard_normal((D, D)))
    return features @ turn.T, weight @ turn.T, bias


def shifted(features, weight, bias):
    step = 50 * np.random.default_rng(3).standard_normal(D)
    return features + step, weight, bias - weight @ step


def padded(features, weight, bias):
    return np.pad(features, ((0, 0), (0, 3))), np.pad(weight, ((0, 0), (0, 3))), bias


def scaled(features, weight, bias):
    return 8 * features, weight / 8, bias


def uneven(seed=7):
    """Classes of different size and spread, and a classifier that is not made for them."""
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(K), [20, 12, 7, 3, 9])
    features = (
        MEANS[labels] + draw.uniform(0.2, 0.8, (K, 1))[labels] * draw.standard_normal((len(labels), D)) / 2
    )
    return features, labels, draw.standard_normal((K, D)), draw.standard_normal(K)


CLASSICAL = {
    *("Accuracy", "Traces", "CDNV", "NC1", "ETF", "NCC", "WeightSVs", "AngleBetweenSubspaces", "GNC2"),
    *("ClassifierETF", "SelfDuality", "WeightRanks", "NCLayer", "MLPSVD", "VCI", "ActivationStableRank"),
}
"""Measures that depend on neither the number of samples nor, but for MLPSVD, on the origin."""


def values_of(features, labels, weight, bias, weighting):
    network = behind(linear(weight, bias))
    found = measured((features, labels), classes=K, network=network, weighting=weighting).numbers()
    return {key: value for key, value in found.items() if key[0] in CLASSICAL}


def renamed(key, names):
    """The key of the same row when classes have other names; only some rows name a class."""
    named = (key[0] == "MLPSVD" and "mean" in key) or (key[0] == "ActivationStableRank" and "class" in key)
    return (*key[:-1], int(names[key[-1]])) if named else key


def bound_to_coordinates(change, key):
    """MLPSVD takes means as they are; the exponent of GNC2's ``riesz`` is D - 2."""
    return (change is shifted and key[0] == "MLPSVD") or (change is padded and "riesz" in key)


@pytest.mark.parametrize("weighting", ["balanced", "sample"])
@pytest.mark.parametrize("change", [rotated, shifted, padded, scaled])
def test_no_measure_but_the_scaled_ones_depends_on_the_coordinates(change, weighting):
    features, labels, weight, bias = uneven()
    before = values_of(features, labels, weight, bias, weighting)
    moved, weight, bias = change(features, weight, bias)
    after = values_of(moved, labels, weight, bias, weighting)
    assert after.keys() == before.keys()
    before = {key: value for key, value in before.items() if not bound_to_coordinates(change, key)}
    power = {key: {"Traces": 2, "WeightSVs": -1}.get(key[0], 0) * ("absolute" in key) for key in before}
    for key, value in before.items():
        factor = 8.0 ** power[key] if change is scaled else 1
        np.testing.assert_allclose(after[key], factor * value, rtol=1e-9, atol=1e-12, err_msg=str(key))


@pytest.mark.parametrize("weighting", ["balanced", "sample"])
def test_showing_every_sample_twice_changes_nothing(weighting):
    features, labels, weight, bias = uneven()
    before = values_of(features, labels, weight, bias, weighting)
    after = values_of(np.repeat(features, 2, axis=0), np.repeat(labels, 2), weight, bias, weighting)
    np.testing.assert_allclose(list(after.values()), list(before.values()), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("weighting", ["balanced", "sample"])
def test_the_names_of_the_classes_do_not_matter(weighting):
    features, labels, weight, bias = uneven()
    names = np.array([3, 0, 4, 1, 2])
    before = values_of(features, labels, weight, bias, weighting)
    after = values_of(features, names[labels], weight[np.argsort(names)], bias[np.argsort(names)], weighting)
    for key, value in before.items():
        np.testing.assert_allclose(after[renamed(key, names)], value, rtol=1e-9, atol=1e-12, err_msg=str(key))


def repeated(times):
    """The simplex frame with every class shown ``times`` as often."""
    features, labels = SAMPLED
    each = np.array(times)[np.array(labels)]
    return np.repeat(features, each, axis=0), np.repeat(labels, each)


def test_balanced_values_do_not_depend_on_how_often_a_class_is_shown(frame):
    again = measured(repeated([1, 2, 3, 1, 4]), classes=K, network=NETWORK)
    for measure in ("Traces", "CDNV", "NC1", "ETF", "AngleBetweenSubspaces"):
        found = {key: value for key, value in again.numbers().items() if key[0] == measure}
        for key, value in found.items():
            np.testing.assert_allclose(value, frame.numbers()[key], rtol=1e-10, atol=1e-13, err_msg=str(key))


def test_both_weightings_agree_on_balanced_data(frame):
    other = measured(SAMPLED, classes=K, network=NETWORK, weighting="sample")
    before, after = frame.numbers(), other.numbers()
    np.testing.assert_allclose(list(after.values()), list(before.values()), rtol=1e-10, atol=1e-13)


def test_sample_weighting_follows_the_counts():
    shares = np.array([1, 2, 3, 1, 4]) / 11
    found = measured(repeated([1, 2, 3, 1, 4]), classes=K, weighting="sample")
    center = shares @ MEANS
    between = shares @ ((MEANS - center) ** 2).sum(axis=1)
    assert found("Traces", trace="between", scale="absolute")[0] == pytest.approx(between, rel=1e-12)
    assert found("NC1", statistic="quotient")[0] == pytest.approx(S**2 * D / between, rel=1e-12)


def test_the_leading_vectors_of_a_wide_weight_are_those_of_all_of_it():
    draw = np.random.default_rng(3)
    weight, labels = draw.standard_normal((150, 120)), np.arange(40) % 4
    features = draw.standard_normal((4, 120))[labels] + 0.1 * draw.standard_normal((40, 120))
    network = behind(linear(weight), linear(draw.standard_normal((4, 150))))
    found = measured((features, labels), classes=4, network=network)
    means = torch.tensor(np.stack([features[labels == c].mean(axis=0) for c in range(4)]))
    expected = weight_means_correlation(torch.tensor(weight), means)
    rows = [row for name, row in found.rows if name == "MLPSVD" and row["against"] == "mean"]
    assert len(rows) == 100 * 4
    for row in rows:
        assert row["value"] == pytest.approx(
            float(expected.means[row["weight_vector"], row["class_vector"]]), rel=1e-8
        )
    assert found("AngleBetweenSubspaces")[0] == pytest.approx(
        class_alignment(torch.tensor(weight), means)[0], rel=1e-9
    )
