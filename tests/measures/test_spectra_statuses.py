"""What spectra of activations and other images say where there is little to say."""

import numpy as np
import pytest

from .flat_world import measured

CLOUD = np.random.default_rng(4).integers(-8, 9, size=(6, 4)) / 8


def ranks(found, labels):
    each = [found("ActivationStableRank", statistic="class", **{"class": c})[1] for c in labels]
    return [*each, *(found("ActivationStableRank", statistic=name)[1] for name in ("mean", "pooled"))]


def largest(found, kind):
    row = {"kind": kind, "class": -1, "sigma_index": 0}
    return [found("ActivationCovSVs", scale=scale, **row) for scale in ("absolute", "relative")]


def test_equal_features_have_spectra_of_zero_and_no_rank():
    found = measured((np.zeros((6, 3)), [0, 0, 1, 1, 2, 2]), classes=3)
    assert found("VCI")[1] == "undefined"
    assert ranks(found, (0, 1, 2)) == ["undefined"] * 5
    for kind in ("within", "between", "total"):
        (absolute, known), (_, relative) = largest(found, kind)
        assert (absolute, known, relative) == (0, "ok", "undefined")


def test_one_class_has_no_index_but_spectra():
    found = measured((CLOUD, [1] * 6), classes=3)
    assert found("VCI")[1] == "undefined"
    assert ranks(found, (1,)) == ["ok"] * 3
    assert found("ActivationCovSVs", kind="between", scale="absolute")[1] == "undefined"


def test_equal_means_have_no_index():
    found = measured((np.tile(CLOUD, (3, 1)), np.repeat([0, 1, 2], 6)), classes=3)
    assert found("VCI")[1] == "undefined"
    assert ranks(found, (0, 1, 2)) == ["ok"] * 5


def test_a_single_sample_has_no_rank_and_makes_the_mean_fragile():
    found = measured((np.vstack([CLOUD, CLOUD + 3, 9 + CLOUD[:1]]), [0] * 6 + [1] * 6 + [2]), classes=4)
    assert ranks(found, (0, 1, 2)) == ["ok", "ok", "undefined", "degenerate", "ok"]
    assert found("VCI")[1] == "ok"


def test_one_feature_has_one_eigenvalue_and_rank_one():
    found = measured((np.arange(12.0)[:, None], np.repeat([0, 1], 6)), classes=2)
    value, status = found("ActivationStableRank", statistic="pooled")
    assert (value, status) == (pytest.approx(1), "ok")
    assert largest(found, "total")[1] == (pytest.approx(1), "ok")
    # S_b = 9, S_w = 35 / 12: the share of the means in all variance is 9 / (9 + 35 / 12)
    assert found("VCI") == (pytest.approx(1 - 9 / (9 + 35 / 12)), "ok")


def test_fewer_samples_than_features_make_the_index_trivial():
    found = measured((CLOUD, [0, 0, 0, 1, 1, 1]), classes=2)
    assert found("VCI")[1] == "ok"
    wide = np.random.default_rng(0).standard_normal((6, 30))
    assert measured((wide, [0, 0, 0, 1, 1, 1]), classes=2)("VCI") == (
        pytest.approx(0, abs=1e-9),
        "degenerate",
    )


def test_without_images_of_another_kind_there_is_no_angle_to_them():
    found = measured((CLOUD, [0, 0, 0, 1, 1, 1]), classes=2)
    assert found("NC5", split="ood")[1] == "skipped"
