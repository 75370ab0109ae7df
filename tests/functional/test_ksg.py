"""KSG, for mixtures too, against loops, closed forms and limits."""

import math

import information_reference as reference
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import digamma

from layerscope.data.known_information import gaussian_pairs, student
from layerscope.functional import discrete_mutual_information, distances, joint_counts, ksg_mutual_information

few = settings(max_examples=8, deadline=None)


def normal(samples, dim, seed=0):
    return torch.randn(samples, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def dependent(samples, dim, seed=0):
    x = normal(samples, dim, seed)
    return x, 0.7 * x + normal(samples, dim, seed + 1)


@pytest.mark.parametrize("norm", ["euclidean", "chebyshev"])
@pytest.mark.parametrize(("dim_x", "dim_y", "k"), [(1, 1, 1), (1, 3, 3), (6, 2, 5), (9, 9, 3)])
def test_values_are_those_of_a_loop_over_the_definition(norm, dim_x, dim_y, k):
    x = normal(90, dim_x)
    y = x[:, :1] + normal(90, dim_y, 1)
    found = ksg_mutual_information(x, y, k=k, norm=norm)
    assert found.value == pytest.approx(
        reference.ksg(reference.scaled(x.numpy()), reference.scaled(y.numpy()), k, norm), abs=1e-12
    )
    raw = ksg_mutual_information(x, y, k=k, norm=norm, standardize=False)
    assert raw.value == pytest.approx(reference.ksg(x.numpy(), y.numpy(), k, norm), abs=1e-12)


@pytest.mark.parametrize("norm", ["euclidean", "chebyshev"])
@pytest.mark.parametrize("dim", [1, 6])
def test_values_with_ties_are_those_of_a_loop_over_the_definition(norm, dim):
    x, y = dependent(80, dim)
    x, y = (2 * x).round(), torch.where(y > 0, y, 0.0)
    found = ksg_mutual_information(x, y, norm=norm, standardize=False)
    assert found.value == pytest.approx(reference.ksg(x.numpy(), y.numpy(), norm=norm), abs=1e-12)


@pytest.mark.parametrize("rho", [0.0, 0.6, 0.9, 0.99])
def test_correlated_gaussians_have_the_information_of_the_closed_form(rho):
    found = [
        ksg_mutual_information(known.x, known.y).value - known.nats
        for known in (gaussian_pairs(800, rho, seed=seed) for seed in range(5))
    ]
    assert abs(np.mean(found)) < 0.08


def test_a_mixture_of_a_copy_and_of_noise_has_its_known_information():
    # X uniform on m values, Y = X: I = H(X) = ln m. Then Y = X + U(0,2), whose intervals overlap by half:
    # I = ln m - (m-1)/m ln 2 (Gao et al. 2017, section 5).
    values = torch.arange(2000, dtype=torch.float64) % 5
    copy = ksg_mutual_information(values, values.clone())
    assert copy.value == pytest.approx(math.log(5), abs=0.01)
    spread = values + 2 * torch.rand(2000, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    found = ksg_mutual_information(values, spread, k=5)
    assert found.value == pytest.approx(math.log(5) - 0.8 * math.log(2), abs=0.05)


def test_repeated_samples_are_counted_and_do_not_reach_the_ceiling():
    # D-71: pairs that come four times each made other estimators return their ceiling, 9.15 bits.
    known = gaussian_pairs(500, 0.6)
    x, y = known.x.repeat(4, 1), known.y.repeat(4, 1)
    found = ksg_mutual_information(x, y, units="bits")
    assert (found.tied, found.status, found.reasons) == (2000, "degenerate", ("ties",))
    apart = ksg_mutual_information(x, y, k=5)
    assert (apart.tied, apart.status) == (0, "ok")  # only three others are in the same place


def test_discrete_variables_have_their_plug_in_value_but_for_its_bias():
    labels = torch.randint(4, (2000,), generator=torch.Generator().manual_seed(0))
    noisy = torch.where(torch.arange(2000) % 3 == 0, 0, labels)
    found = ksg_mutual_information(labels.double(), noisy.double())
    plug_in = discrete_mutual_information(joint_counts(labels, noisy, 4))
    assert found.value == pytest.approx(plug_in.value, abs=0.005)
    assert ksg_mutual_information(torch.ones(9), torch.ones(9)).value == 0.0


def test_a_copy_reaches_the_ceiling_scaled_or_turned_if_its_columns_are_left_alone():
    x = normal(300, 2)
    turn = torch.tensor([[0.6, -0.8], [0.8, 0.6]], dtype=torch.float64)
    for copy, standardize in ((x.clone(), True), (3 * x - 7, True), (x @ turn, False)):
        found = ksg_mutual_information(x, copy, k=3, standardize=standardize)
        assert found.ceiling == pytest.approx(digamma(300) - digamma(3), abs=1e-12)
        assert found.value == pytest.approx(found.ceiling, abs=1e-12)
        assert (found.tied, found.reasons) == (0, ("ceiling",))


def test_blocks_whose_distances_differ_reach_one_neighbor_less():
    x = normal(300, 1)
    found = ksg_mutual_information(x, x + 1e-9 * normal(300, 1, 1), k=3)
    assert found.value == pytest.approx(digamma(300) - digamma(4), abs=0.01)
    assert found.ceiling - found.value == pytest.approx(1 / 3, abs=0.01)
    assert found.reasons == ("ceiling",)
    bits = ksg_mutual_information(normal(2000, 1), normal(2000, 1, 1), units="bits")
    assert bits.ceiling == pytest.approx(9.15322885 + 1 / 3 / math.log(2), abs=5e-9)


def test_the_value_is_the_mean_of_what_the_samples_contribute():
    x, y = dependent(200, 2)
    found = ksg_mutual_information(x, y, units="bits")
    assert found.pointwise.shape == (200,)
    assert found.value == pytest.approx(float(found.pointwise.mean()), abs=1e-14)
    nats = ksg_mutual_information(x, y)
    assert found.value == pytest.approx(nats.value / math.log(2), rel=1e-14)
    assert found.ceiling == pytest.approx(nats.ceiling / math.log(2), rel=1e-14)


def test_independent_samples_may_have_a_negative_value_unless_clipped():
    found = min(
        (ksg_mutual_information(normal(100, 2, seed), normal(100, 2, seed + 50)) for seed in range(5)),
        key=lambda each: each.value,
    )
    assert found.value < 0
    x = normal(100, 1)
    assert ksg_mutual_information(x, normal(100, 1, 7), clip=True).value >= 0


@few
@given(seed=st.integers(0, 99), dim=st.sampled_from([1, 3, 7]))
def test_order_sides_scale_and_rotation_do_not_matter(seed, dim):
    x, y = dependent(120, dim, seed)
    value = ksg_mutual_information(x, y).value
    order = torch.randperm(120, generator=torch.Generator().manual_seed(seed))
    assert ksg_mutual_information(x[order], y[order]).value == pytest.approx(value, abs=1e-12)
    assert ksg_mutual_information(y, x).value == pytest.approx(value, abs=1e-12)
    assert ksg_mutual_information(3 * x + 1e3, y / 7).value == pytest.approx(value, abs=1e-9)
    turn = torch.linalg.qr(normal(dim, dim, seed))[0]
    plain = ksg_mutual_information(x, y, standardize=False).value
    assert ksg_mutual_information(x @ turn, y, standardize=False).value == pytest.approx(plain, abs=1e-9)


@pytest.mark.parametrize("dim", [2, 8])
@pytest.mark.parametrize("norm", ["euclidean", "chebyshev"])
def test_tiles_of_any_height_give_the_same_bits(monkeypatch, dim, norm):
    x, y = dependent(301, dim)
    x = torch.cat([x, x[:20] + 1e-9])  # neighbours closer than products can tell
    y = torch.cat([y, y[:20] + 1e-9])
    whole = ksg_mutual_information(x, y, norm=norm)
    for size in (1, 2000, 10**7):
        monkeypatch.setattr(distances, "CPU_TILE", size)
        again = ksg_mutual_information(x, y, norm=norm)
        assert torch.equal(again.pointwise, whole.pointwise)
        assert again.value == whole.value


def test_a_far_outlier_and_a_large_offset_cost_no_digits():
    x, y = dependent(120, 6)
    x[0] *= 1e6
    wanted = reference.ksg(x.numpy(), y.numpy())
    found = ksg_mutual_information(x + 1e5, y, standardize=False)
    assert found.value == pytest.approx(wanted, abs=1e-9)


def test_tiny_features_are_not_drowned_in_noise():
    # D-71: noise of 1e-10 that others add against ties decides everything for features of size 1e-12.
    x, y = dependent(200, 1)
    assert ksg_mutual_information(1e-12 * x, y, standardize=False, k=3).value == pytest.approx(
        ksg_mutual_information(x / x.std(), 1e12 * y / x.std(), standardize=False).value, abs=1e-12
    )
    assert ksg_mutual_information(1e-200 * x, y).value == pytest.approx(
        ksg_mutual_information(x, y).value, abs=1e-9
    )


def test_float32_features_give_what_their_values_give_in_float64():
    x, y = dependent(150, 3)
    found = ksg_mutual_information(x.float(), y.float()).value
    assert found == ksg_mutual_information(x.float().double(), y.float().double()).value


def test_constant_columns_say_nothing():
    x, y = dependent(150, 2)
    wider = torch.cat([x, torch.full((150, 3), 7.0)], dim=1)
    found = ksg_mutual_information(wider, y)
    assert found.value == ksg_mutual_information(x, y).value
    assert found.dims == (2, 2)
    nothing = ksg_mutual_information(torch.ones(150, 2), y)
    assert (nothing.value, nothing.status, nothing.reasons) == (0.0, "degenerate", ("constant",))
    assert not nothing.pointwise.any()


def test_many_dimensions_are_flagged_because_the_value_is_far_too_low():
    known = gaussian_pairs(1000, 0.9, dim=20)
    found = ksg_mutual_information(known.x, known.y)
    assert "dimensions" in found.reasons
    assert found.value < known.nats / 3
    assert ksg_mutual_information(known.x[:, :8], known.y[:, :8]).reasons == ()


def test_heavy_tails_are_estimated_too_low():
    known = student(1000, 1, dim=2)
    found = ksg_mutual_information(known.x, known.y)
    assert 0 < found.value < known.nats


def test_inputs_stay_as_they_are():
    x, y = dependent(50, 2)
    before = x.clone(), y.clone()
    ksg_mutual_information(x, y)
    assert torch.equal(x, before[0])
    assert torch.equal(y, before[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": torch.zeros(49, 2)}, "paired"),
        ({"k": 50}, "50 samples have no 50 neighbours"),
        ({"k": 0}, "at least 1"),
        ({"norm": "manhattan"}, "'euclidean' or 'chebyshev'"),
        ({"units": "hartleys"}, "'nats' or 'bits'"),
        ({"x": torch.arange(50)}, "labels are names"),
        ({"x": torch.full((50, 2), math.nan)}, "50 of 50 samples of x are not finite"),
        ({"y": torch.zeros(50, 2, 2)}, "y must be"),
    ],
)
def test_bad_input_is_refused_with_the_reason(change, message):
    x, y = dependent(50, 2)
    with pytest.raises(ValueError, match=message):
        ksg_mutual_information(**{"x": x, "y": y, **change})
