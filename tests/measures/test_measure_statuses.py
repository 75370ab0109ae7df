"""Values that are undefined, infinite, fragile or skipped say so."""

import math
from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from layerscope.errors import MeasurementError

from .flat_world import around, behind, linear, measured, simplex

DRAW = np.random.default_rng(4)
CLOUD = DRAW.integers(-8, 9, size=(6, 4)) / 8  # sums of these are exact


FRAME = ("equinorm", "equiangular", "equiangular_std", "etf_error")


def statuses(found, measure, qualifier, names, **where):
    return {name: found(measure, **{qualifier: name}, **where)[1] for name in names}


def nc1(found):
    return statuses(found, "NC1", "statistic", ("pinv", "quotient", "range_fraction", "rank"))


def gnc2(found):
    """Statuses of the means of the kernels."""
    return {name: found("GNC2", kernel=name, statistic="mean")[1] for name in ("dist", "log", "riesz_1")}


def duality(found):
    return statuses(found, "SelfDuality", "statistic", ("frobenius", "etf", "cosine", "bias"))


def cdnv(found):
    return statuses(found, "CDNV", "statistic", ("mean", "median", "max"))


def etf(found):
    return statuses(found, "ETF", "statistic", (*FRAME, "etf_floor", "directionless"))


def angle(found, layer="fc"):
    rows = [row for name, row in found.rows if name == "AngleBetweenSubspaces" and row["layer_name"] == layer]
    assert len(rows) == 1
    return rows[0]["rank"], rows[0]["status"]


def test_one_class_alone_leaves_everything_between_classes_undefined():
    found = measured((CLOUD, [1] * 6), classes=3)
    assert nc1(found) == {"pinv": "undefined", "quotient": "undefined", "range_fraction": "ok", "rank": "ok"}
    assert set(cdnv(found).values()) == {"undefined"}
    assert etf(found) == dict.fromkeys((*FRAME, "etf_floor"), "undefined") | {"directionless": "ok"}
    assert angle(found) == (0, "undefined")
    assert set(gnc2(found).values()) == {"undefined"}
    assert duality(found) == dict.fromkeys(("frobenius", "etf", "cosine"), "undefined") | {"bias": "ok"}
    assert found("NCLayer", layer="network", statistic="first")[1] == "undefined"
    assert found("NC1", statistic="svd")[1] == "undefined"
    assert found("NC1", statistic="rank") == (0, "ok")
    within = found("Traces", trace="within", scale="absolute")
    assert within == found("Traces", trace="sum", scale="absolute") == (pytest.approx(within[0]), "ok")
    for trace, scale in (("between", "absolute"), ("between", "relative"), ("within", "relative")):
        assert found("Traces", trace=trace, scale=scale)[1] == "undefined"
    assert found("NCC", statistic="accuracy") == (1, "degenerate")


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_coincident_means_of_varying_samples_are_infinitely_far_from_collapse(offset):
    found = measured((np.tile(CLOUD, (3, 1)) + offset, np.repeat([0, 1, 2], 6)), classes=3)
    assert nc1(found) == {"pinv": "infinite", "quotient": "infinite", "range_fraction": "ok", "rank": "ok"}
    assert set(cdnv(found).values()) == {"infinite"}
    assert set(etf(found).values()) == {"undefined", "ok"}
    assert etf(found)["etf_floor"] == "ok"
    assert angle(found) == (0, "undefined")
    assert found("NC1", statistic="svd")[1] == "infinite"
    assert found("CDNV", statistic="infinite") == (3, "ok")
    assert set(gnc2(found).values()) == {"undefined"}
    assert found("NCLayer", layer="network", statistic="first")[1] == "undefined"
    assert found("NCC", statistic="ties") == (18, "ok")
    assert found("NCC", statistic="accuracy") == (1 / 3, "degenerate")
    assert found("NCC", statistic="agreement")[1] == "degenerate"


def shuffled_copies():
    """Three classes of the same samples in another order: their means differ by rounding alone."""
    draw = np.random.default_rng(2)
    cloud = (draw.standard_normal((50, 4)) + 1).astype(np.float32)
    features = np.concatenate([draw.permutation(cloud) for _ in range(3)])
    network = behind(linear(draw.standard_normal((3, 4))))
    return {"train": (features, np.repeat([0, 1, 2], 50)), "classes": 3, "network": network, "batch_size": 7}


def test_means_that_coincide_but_for_rounding_count_as_coincident():
    found = measured(**shuffled_copies())
    assert 0 < found("Traces", trace="between", scale="absolute")[0] < 1e-30
    assert nc1(found) == {"pinv": "infinite", "quotient": "infinite", "range_fraction": "ok", "rank": "ok"}
    assert set(cdnv(found).values()) == {"infinite"}
    assert etf(found) == dict.fromkeys(FRAME, "undefined") | {"etf_floor": "ok", "directionless": "ok"}
    assert angle(found) == (0, "undefined")
    assert found("NCC", statistic="ties") == (150, "ok")


def test_means_that_float32_cannot_tell_apart_are_not_trusted():
    found = measured(**shuffled_copies(), dtype=torch.float32)
    assert 1e-30 < found("Traces", trace="between", scale="absolute")[0] < 1e-12
    assert (nc1(found)["pinv"], nc1(found)["quotient"]) == ("degenerate", "degenerate")
    assert set(cdnv(found).values()) == {"degenerate"}
    assert etf(found) == dict.fromkeys(FRAME, "degenerate") | {"etf_floor": "ok", "directionless": "ok"}
    assert angle(found) == (2, "degenerate")


@pytest.mark.parametrize("exponent", [0.5, 1, 2])
def test_the_distance_that_rounding_decides_is_the_same_for_every_exponent_of_cdnv(exponent):
    for dtype, expected in ((torch.float32, "degenerate"), (torch.float64, "ok")):
        apart = np.repeat([0, 1e-7, 1], 6)[:, None]  # of 1: within the rounding of float32, not of float64
        features = np.concatenate([CLOUD] * 3) * 1e-3 + 1 + apart
        found = measured((features, np.repeat(range(3), 6)), classes=3, dtype=dtype, cdnv_exponent=exponent)
        assert found("CDNV", statistic="max")[1] == expected
        assert found("CDNVPairs", **{"class": 0, "other": 1})[1] == expected
        assert found("CDNVPairs", **{"class": 0, "other": 2})[1] == "ok"


def test_two_coincident_means_of_three_make_a_pair_infinite():
    features = np.concatenate([CLOUD, CLOUD, CLOUD + np.eye(4)[0] * 8])
    found = measured((features, np.repeat([0, 1, 2], 6)), classes=3)
    assert cdnv(found) == {"mean": "infinite", "median": "ok", "max": "infinite"}
    assert nc1(found)["pinv"] == "degenerate"  # one direction where there could be two
    assert found("NC1", statistic="svd")[1] == "infinite"
    assert found("CDNV", statistic="infinite") == (1, "ok")
    assert gnc2(found) == {"dist": "ok", "log": "infinite", "riesz_1": "infinite"}
    assert found("NC1", statistic="rank") == (1, "ok")


def test_coincident_collapsed_classes_are_left_out_of_the_pairs():
    features = np.concatenate([np.zeros((4, 2)), np.ones((2, 2)), CLOUD[:, :2]])
    found = measured((features, [0, 0, 1, 1, 2, 2, 3, 3, 3, 3, 3, 3]), classes=4)
    assert cdnv(found) == {"mean": "degenerate", "median": "degenerate", "max": "degenerate"}
    assert found("CDNV", statistic="coincident") == (1, "ok")


def test_a_dead_layer_has_no_geometry_at_all():
    found = measured((np.zeros((6, 4)), [0, 0, 1, 1, 2, 2]), classes=3)
    undefined = {"pinv": "undefined", "quotient": "undefined", "range_fraction": "undefined", "rank": "ok"}
    assert nc1(found) == undefined
    assert set(cdnv(found).values()) == {"undefined"}
    assert found("Traces", trace="sum", scale="absolute") == (0, "ok")
    for trace in ("within", "between", "sum"):
        assert found("Traces", trace=trace, scale="relative")[1] == "undefined"
    assert etf(found)["equinorm"] == etf(found)["etf_error"] == "undefined"
    assert angle(found) == (0, "undefined")
    assert found("NCC", statistic="accuracy") == (1 / 3, "degenerate")


def test_collapsed_classes_are_no_degenerate_case():
    means = simplex(3, 4)
    found = measured((np.repeat(means, 2, axis=0), [0, 0, 1, 1, 2, 2]), classes=3)
    assert found("NC1", statistic="pinv") == (pytest.approx(0, abs=1e-30), "ok")
    assert found("CDNV", statistic="max") == (pytest.approx(0, abs=1e-30), "ok")


def test_a_class_of_one_sample_makes_cdnv_fragile_but_not_nc1():
    found = measured((CLOUD, [0, 0, 1, 1, 1, 2]), classes=3)
    assert set(cdnv(found).values()) == {"degenerate"}
    assert nc1(found)["pinv"] == "ok"


def test_classes_of_one_sample_each_make_nc1_fragile():
    found = measured((CLOUD[:4], [0, 1, 2, 3]), classes=4)
    assert found("NC1", statistic="pinv") == (0, "degenerate")
    assert found("NC1", statistic="quotient") == (0, "degenerate")
    assert nc1(found)["range_fraction"] == "undefined"
    assert set(cdnv(found).values()) == {"degenerate"}


def test_two_classes_have_no_angles_to_speak_of():
    found = measured((CLOUD, [0, 0, 0, 1, 1, 1]), classes=2)
    assert etf(found) == {
        **dict.fromkeys(FRAME, "degenerate"), "etf_floor": "ok", "directionless": "ok",
    }  # fmt: skip


def test_a_mean_at_the_centre_has_no_angle():
    means = np.array([[1.0, 0, 0, 0], [-1, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0], [0, -1, 0, 0]])
    found = measured(around(means, 0.5), classes=5)
    assert etf(found)["equiangular"] == etf(found)["equiangular_std"] == "degenerate"
    assert etf(found)["equinorm"] == "ok"


def rounded_to_float32(classes=6, dim=8):
    """Samples of a plane, seen through a rounded map: only rounding leaves the plane."""
    draw = np.random.default_rng(9)
    flat = 3 * draw.standard_normal((classes, 2))[np.arange(60) % classes] + draw.standard_normal((60, 2))
    return (flat @ draw.standard_normal((2, dim))).astype(np.float32), np.arange(60) % classes


def test_directions_made_by_rounding_are_not_trusted():
    draw = np.random.default_rng(10)
    network = behind(linear(draw.standard_normal((6, 8))))
    found = measured(rounded_to_float32(), classes=6, network=network, dtype=torch.float32)
    assert found("NC1", statistic="rank") == (5, "ok")
    assert nc1(found)["pinv"] == "degenerate"
    assert angle(found) == (5, "degenerate")


def test_small_but_real_directions_are_trusted_in_float32():
    draw = np.random.default_rng(11)
    labels = np.arange(60) % 6
    means = draw.standard_normal((6, 8)) * np.array([1] * 4 + [1e-3] * 4)
    features = (means[labels] + 1e-4 * draw.standard_normal((60, 8))).astype(np.float32)
    network = behind(linear(draw.standard_normal((6, 8))))
    found = measured((features, labels), classes=6, network=network, dtype=torch.float32)
    assert nc1(found)["pinv"] == "ok"
    assert angle(found) == (5, "ok")


def maps(channels=4):
    draw = np.random.default_rng(5)
    return draw.standard_normal((30, channels, 3, 3)), np.arange(30) % 3


def convolution(**options):
    parts = {
        "conv": nn.Conv2d(4, 6, 3, **options),
        "norm": nn.BatchNorm2d(6),
        "flat": nn.Flatten(),
        "fc": nn.LazyLinear(3),
    }
    network = nn.Sequential(OrderedDict(parts)).double().eval()
    network(torch.zeros(1, 4, 3, 3, dtype=torch.float64))
    return network


def test_layers_without_a_weight_matrix_have_one_skipped_row():
    found = measured(maps(), classes=3, network=convolution(), spec=True)
    for layer in ("norm", "flat"):
        assert found("WeightSVs", "weights", layer, sigma_index=0, scale="absolute")[1] == "skipped"
        assert angle(found, layer) == (0, "skipped")
    assert angle(found, "conv") == (2, "ok")
    assert angle(found, "fc") == (2, "ok")


def test_a_grouped_convolution_has_a_spectrum_but_no_angle():
    found = measured(maps(), classes=3, network=convolution(groups=2), spec=True)
    assert angle(found, "conv") == (0, "skipped")
    assert found("WeightSVs", "weights", "conv", sigma_index=5, scale="relative")[1] == "ok"


@pytest.mark.parametrize("options", [{"where": "output"}, {"reduce": "project:3"}])
def test_angles_are_skipped_where_features_are_not_what_the_weight_reads(options):
    found = measured(maps(), classes=3, network=convolution(), spec=True, **options)
    assert {angle(found, layer) for layer in ("conv", "norm", "flat", "fc")} == {(0, "skipped")}


def test_a_linear_layer_over_the_last_of_four_axes_is_skipped_when_reduced_to_another():
    class ChannelsLast(nn.Module):
        def __init__(self):
            super().__init__()
            self.mix, self.fc = nn.Linear(4, 5), nn.Linear(5, 3)

        def forward(self, images):
            return self.fc(self.mix(images.permute(0, 2, 3, 1)).mean(dim=(1, 2)))

    found = measured(maps(), classes=3, network=ChannelsLast(), spec=True, reduce="mean")
    assert angle(found, "mix") == (0, "skipped")
    assert angle(found, "fc") == (2, "ok")
    found = measured(maps(), classes=3, network=ChannelsLast(), spec=True)
    assert angle(found, "mix") == (2, "ok")


def test_a_zero_weight_has_no_relative_spectrum_and_no_angle():
    found = measured((CLOUD, [0, 0, 1, 1, 2, 2]), classes=3)
    assert found("WeightSVs", "weights", sigma_index=0, scale="absolute") == (0, "ok")
    for scale in ("relative", "cumulative"):
        assert found("WeightSVs", "weights", sigma_index=2, scale=scale)[1] == "undefined"
    assert angle(found) == (0, "undefined")


def test_a_leading_space_that_is_not_unique_is_degenerate():
    network = behind(linear(np.eye(4)), linear(np.zeros((3, 4))))
    found = measured((CLOUD, [0, 0, 1, 1, 2, 2]), classes=3, network=network)
    assert angle(found) == (2, "degenerate")


def test_the_loss_of_a_probe_is_not_taken_for_that_of_the_training():
    found = measured((CLOUD, [0, 0, 1, 1, 2, 2]), classes=3, probe=True)
    assert found("Accuracy", layer="logits", quantity="loss")[1] == "skipped"
    assert found("Accuracy", layer="logits", quantity="probe_loss") == (pytest.approx(math.log(3)), "ok")
    assert found("Accuracy", layer="logits", quantity="accuracy")[1] == "ok"


def test_logits_that_are_no_numbers_decide_nothing():
    network = behind(linear(np.zeros((3, 4)), np.array([np.nan, 0, 0])))
    with pytest.raises(MeasurementError, match="train split: 6 of 6 samples have logits that are no numbers"):
        measured((CLOUD, [0, 0, 1, 1, 2, 2]), classes=3, network=network)


def test_a_mean_that_float32_cannot_tell_from_the_centre_makes_angles_degenerate():
    points = np.array([[1.0, 0, 0, 0], [-1, 0, 0, 0], [0, 0, 0, 0]]) + 100
    found = measured((points.repeat(2, axis=0), [0, 0, 1, 1, 2, 2]), classes=3)
    assert found("ETF", statistic="equiangular_std") == (0, "degenerate")
    assert found("ETF", statistic="equinorm")[1] == "ok"
    assert found("GNC2", kernel="dist", statistic="mean") == (pytest.approx(2), "degenerate")
