"""Mutual information in learnt latent spaces."""

import math

import pytest
import torch

from layerscope.data.known_information import embedded, gaussian_pairs
from layerscope.functional import (
    LatentSettings,
    latent_mutual_information,
    latent_mutual_informations,
)
from layerscope.functional.latent_inputs import projection

QUICK = LatentSettings(dims=3, hidden=16, epochs=14, learning_rate=1e-2, batch_size=64, patience=5)


@pytest.fixture(scope="module")
def wide():
    return embedded(gaussian_pairs(400, 0.9, dim=2), 20)


@pytest.fixture(scope="module")
def found(wide):
    return latent_mutual_information(wide.x, wide.y, settings=QUICK)


def test_gaussians_in_a_wide_space_have_most_of_their_information(wide, found):
    assert found.value == pytest.approx(wide.nats, abs=0.3)
    assert found.status == "ok"
    narrow = latent_mutual_information(wide.x, wide.y, settings=QUICK, units="bits", cross_fit=False)
    assert narrow.value == pytest.approx(found.folds[0].neighbors.value / math.log(2), rel=1e-12)


def test_independent_blocks_have_next_to_none(wide):
    other = embedded(gaussian_pairs(400, 0.0, dim=2, seed=9), 20, seed=9)
    assert abs(latent_mutual_information(wide.x, other.y, settings=QUICK).value) < 0.15


def test_the_same_seed_gives_the_same_bits_and_another_one_others(wide, found):
    # D-70: the peer draws its split and its noise from the global streams.
    before = torch.random.get_rng_state()
    again = latent_mutual_information(wide.x, wide.y, settings=QUICK)
    assert again.value == found.value
    assert torch.equal(again.pointwise, found.pointwise)
    assert torch.equal(again.folds[0].validation, found.folds[0].validation)
    assert latent_mutual_information(wide.x, wide.y, settings=QUICK, seed=1).value != found.value
    assert torch.equal(before, torch.random.get_rng_state())


def test_the_order_of_the_samples_does_not_matter_when_they_have_names(wide):
    names = torch.arange(400) * 7 + 3
    order = torch.randperm(400, generator=torch.Generator().manual_seed(1))
    first = latent_mutual_information(wide.x, wide.y, ids=names, settings=QUICK, cross_fit=False)
    again = latent_mutual_information(
        wide.x[order], wide.y[order], ids=names[order], settings=QUICK, cross_fit=False
    )
    assert again.value == pytest.approx(first.value, abs=1e-6)
    assert torch.allclose(again.pointwise, first.pointwise[order], atol=1e-4, equal_nan=True)


def test_every_sample_is_held_out_once(found):
    rows = torch.cat([fold.held_out for fold in found.folds])
    assert torch.equal(rows.sort().values, torch.arange(400))
    assert bool(found.pointwise.isfinite().all())
    assert float(found.pointwise.mean()) == pytest.approx(found.value, abs=1e-12)


def test_latents_are_those_of_the_best_epoch_in_evaluation(wide, found):
    # D-66 to D-68: the peer keeps references to live weights, and validates with dropout on.
    for fold in found.folds:
        lowest = fold.validation.min(dim=0).values
        for side, epoch in enumerate(fold.best_epochs):
            assert float(fold.validation[epoch, side]) <= float(lowest[side]) * (1 + 2e-4)
            assert len(fold.validation) <= epoch + 1 + QUICK.patience or max(fold.best_epochs) > epoch
    longer = latent_mutual_information(
        wide.x, wide.y, settings=LatentSettings(**{**vars(QUICK), "patience": 6})
    )
    shared = len(found.folds[0].validation)
    assert torch.equal(longer.folds[0].validation[:shared], found.folds[0].validation)


def test_training_stops_early(wide):
    noise = torch.randn(400, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    settings = LatentSettings(dims=2, hidden=32, epochs=300, learning_rate=1e-2, batch_size=64, patience=2)
    stopped = latent_mutual_information(noise, noise.flip(0), settings=settings, cross_fit=False)
    assert len(stopped.folds[0].training) < 60


def test_labels_are_compared_with_the_latents_of_the_features():
    labels = torch.arange(400) % 4
    noise = torch.randn(400, 25, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    means = 6 * torch.eye(4, 25, dtype=torch.float64)
    found = latent_mutual_information(means[labels] + noise, labels, settings=QUICK)
    assert found.value == pytest.approx(math.log(4), abs=0.3)
    assert found.ceiling == pytest.approx(math.log(4), abs=0.05)
    for fold in found.folds:  # labels need no network
        assert (len(fold.encoders), len(fold.best_epochs), fold.validation.shape[1]) == (1, 1, 1)


def test_networks_start_at_the_best_linear_map(wide, found):
    # Two pairs of directions in 20: two of three latents tell all there is of the other block.
    for fold in found.folds:
        assert fold.training[0].max() < 1.5 * fold.validation[-1].max()
        assert bool((fold.validation[0] < 0.5).all())


def test_layers_that_train_together_have_what_they_have_alone(wide):
    narrow = wide.x[:, :5]
    labels = (wide.x[:, 0] > 0).long()
    together = latent_mutual_informations(
        [(wide.x, wide.y), (narrow, wide.y), (narrow, labels)], settings=QUICK, cross_fit=False
    )
    for each, (x, y) in zip(together, [(wide.x, wide.y), (narrow, wide.y), (narrow, labels)], strict=True):
        alone = latent_mutual_information(x, y, settings=QUICK, cross_fit=False)
        assert each.value == pytest.approx(alone.value, abs=0.02)
        assert each.folds[0].best_epochs == alone.folds[0].best_epochs


def test_encoders_give_the_same_bits_whatever_comes_along(wide, found):
    encoder = found.folds[0].encoders[0]
    whole = encoder(wide.x)
    assert torch.equal(encoder(wide.x[:7]), whole[:7])
    assert torch.equal(torch.cat([encoder(part) for part in wide.x.split(250)]), whole)


def test_components_keep_all_variance_up_to_their_number():
    points = torch.randn(50, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    points[:, 5] = points[:, 0] - points[:, 1]
    whole = projection(points, 64)
    assert whole(points).shape == (50, 5)
    z = (points - points.mean(dim=0)) / points.std(dim=0, correction=0)
    ratio = torch.pdist(z) / torch.pdist(whole(points))
    assert torch.allclose(ratio, ratio[0].expand_as(ratio))
    assert projection(points, 3)(points).shape == (50, 3)


def test_too_few_samples_leave_it_undefined(wide):
    few = latent_mutual_information(wide.x[:199], wide.y[:199])
    assert (few.status, few.folds) == ("undefined", ())
    assert math.isnan(few.value)


def test_a_block_that_does_not_vary_has_none(wide):
    found = latent_mutual_information(torch.ones_like(wide.x), wide.y, settings=QUICK)
    assert (found.value, found.status, found.reasons) == (0.0, "degenerate", ("constant",))


def test_no_pairs_give_no_values():
    assert latent_mutual_informations([]) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": torch.zeros(5, 2)}, "paired"),
        ({"x": torch.full((400, 2), math.inf)}, "400 of 400 samples of x are not finite"),
        ({"x": torch.arange(400)}, "must be floats"),
        ({"ids": torch.zeros(400, dtype=torch.int64)}, "all different"),
    ],
)
def test_bad_input_is_refused_with_the_reason(wide, change, message):
    with pytest.raises(ValueError, match=message):
        latent_mutual_information(**{"x": wide.x, "y": wide.y, **change})


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="dims must be at least 1"):
        LatentSettings(dims=0)
    with pytest.raises(ValueError, match="learning_rate must be positive"):
        LatentSettings(learning_rate=0.0)
