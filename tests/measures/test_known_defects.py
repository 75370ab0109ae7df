"""Defects found in public implementations, and that ours does not have them.

Each id of the list is either demonstrated here, or names the test that does; ``NOT_OURS`` says why one cannot
apply.
"""

import inspect
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from layerscope import functional, measures, statistics
from layerscope.functional import (
    activation_stable_rank,
    between_basis,
    cdnv,
    class_alignment,
    equiangularity,
    etf_error,
    kernel_stats,
    nc1_pinv,
    nc1_svd,
    nc_layer,
    ncc_agreement,
    nearest_class,
    row_spectrum,
    self_duality_etf,
    self_duality_frobenius,
    weights_by,
)
from layerscope.measures.catalog import VERSIONS
from layerscope.measures.registry import MEASURES
from layerscope.statistics import ClassMoments, Decisions, NearestCenter

from .flat_world import around, measured, simplex

ROOT = Path(__file__).parents[1]
SOURCES = [Path(part.__file__).parent for part in (functional, measures, statistics)]

ELSEWHERE = {  # defect → the test that our code does not have it
    "D-1": "measurement/test_measure_checkpoints.py::test_the_tables_hold_every_row_of_every_checkpoint",
    "D-2": "training/test_manifest.py::test_recorded_epochs_are_listed_in_numerical_order",
    "D-6": "measures/test_measures_contract.py::test_every_row_has_a_key_of_its_own",
    "D-7": "plotting/test_figures.py::test_a_line_shows_the_values_of_its_table",
    "D-9": "plotting/test_figures.py::test_subspace_angles_show_layers_of_every_rank",
    "D-10": "plotting/test_figures.py::test_epochs_are_all_shown_when_few_and_spread_when_many",
    "D-13": "measurement/test_sweeps.py"
    "::test_a_split_is_forwarded_once_when_its_features_are_kept_and_twice_when_not",
    "D-15": "features/test_taps.py::test_an_in_place_relu_after_the_tap_cannot_rewrite_what_was_handed_on",
    "D-16": "features/test_taps.py::test_hooks_are_removed_on_leaving",
    "D-17": "features/test_taps.py::test_calls_are_counted_anew_in_every_pass",
    "D-19": "measurement/test_sweeps.py::test_kept_features_of_one_checkpoint_do_not_leak_into_the_next",
    "D-20": "measurement/test_measure_checkpoints.py"
    "::test_images_are_measured_as_they_are_and_in_their_order_whatever_training_does",
    "D-24": "measurement/test_sweeps.py::test_one_sweep_is_enough_when_no_measure_asks_for_the_means",
    "D-25": "measurement/test_measure_checkpoints.py::test_measuring_again_leaves_the_same_bytes",
    "D-26": "training/test_checkpoints.py::test_nothing_is_unpickled_from_a_checkpoint",
    "D-27b": "training/test_optimizers.py::test_restored_momenta_continue_bit_for_bit",
    "D-28": "functional/test_discrete_information.py"
    "::test_a_small_table_has_its_published_value_in_both_units",
    "D-29": "functional/test_discrete_information.py"
    "::test_classes_that_never_occur_have_their_place_in_the_table",
    "D-30": "functional/test_gaussian_information.py::test_pairs_matter",
    "D-31": "functional/test_gaussian_information.py"
    "::test_a_ridge_lowers_the_value_once_and_changes_no_input",
    "D-32": "functional/test_gaussian_information.py::test_determinants_that_would_underflow_do_no_harm",
    "D-33": "functional/test_gaussian_information.py::test_bits_are_nats_over_ln_2",
    "D-34": "functional/test_matching.py::test_the_nearest_is_that_of_the_largest_cosine",
    "D-35": "functional/test_matching.py::test_with_labels_only_points_of_the_same_label_are_candidates",
    "D-36": "measurement/test_sweeps.py::test_the_batch_size_does_not_matter",
    "D-37": "measurement/test_sweeps.py"
    "::test_features_that_are_not_finite_are_named_by_layer_split_and_samples",
    "D-38": "measurement/test_sweeps.py::test_a_model_in_training_mode_is_measured_in_eval_mode",
    "D-40": "functional/test_latent_information.py::test_every_sample_is_held_out_once",
    "D-49": "functional/test_kernel_stats.py::test_nothing_to_compare_is_undefined",
    "D-52": "examples/test_examples.py::test_the_own_training_loop_collapses",
    "D-54": "functional/test_diffusion_entropy.py"
    "::test_the_eigenvalues_are_those_of_the_stochastic_matrix_and_not_of_a_second_normalisation",
    "D-55": "functional/test_diffusion_entropy.py"
    "::test_the_scaling_gives_a_symmetric_operator_with_a_known_first_vector",
    "D-56": "functional/test_input_clusters.py::test_a_key_changes_with_all_that_changes_a_spectrum",
    "D-57": "functional/test_diffusion_information.py"
    "::test_equal_seeds_draw_equal_subsets_without_the_global_generator",
    "D-58": "functional/test_diffusion_entropy.py"
    "::test_a_fixed_bandwidth_saturates_with_the_dimension_and_a_rule_does_not",
    "D-59": "functional/test_diffusion_entropy.py"
    "::test_equal_points_have_no_entropy_and_far_ones_all_there_is",
    "D-60": "functional/test_diffusion_information.py::test_what_cannot_be_meant_is_refused",
    "D-61": "functional/test_diffusion_information.py"
    "::test_matched_saturates_with_small_classes_and_full_does_not",
    "D-62": "functional/test_binned_information.py::test_a_constant_unit_has_one_bin_beside_others_that_vary",
    "D-63": "functional/test_lanczos_quadrature.py::test_equal_seeds_give_equal_bits_and_others_do_not",
    "D-65": "functional/test_adjacency_entropy.py::test_the_neighbor_graph_is_symmetric_without_loops",
    **dict.fromkeys(
        ("D-66", "D-67", "D-68"),
        "functional/test_latent_information.py::test_latents_are_those_of_the_best_epoch_in_evaluation",
    ),
    "D-69": "estimators/test_latent_estimator.py::test_a_fit_learns_and_measures_and_serves_other_samples",
    "D-70": "functional/test_latent_information.py"
    "::test_the_same_seed_gives_the_same_bits_and_another_one_others",
    "D-71": "functional/test_ksg.py::test_tiny_features_are_not_drowned_in_noise",
    **dict.fromkeys(
        ("D-72", "D-73"),
        "functional/test_ksg.py::test_independent_samples_may_have_a_negative_value_unless_clipped",
    ),
    "D-74": "measures/test_measure_truths.py::test_sample_weighting_follows_the_counts",
}
NOT_OURS = {  # defect → why it cannot be ours
    "D-27": "no stage ends early by an accuracy, and no layer is left out by its number: configs say both",
}
GENERATOR = torch.Generator().manual_seed(0)


def cloud(*shape):
    return torch.randn(*shape, generator=GENERATOR, dtype=torch.float64)


def source():
    """All code of the measures but the key of a kept spectrum, whose purpose is to hash."""
    paths = [path for room in SOURCES for path in room.glob("*.py") if path.name != "spectrum_key.py"]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


def test_d3_the_stable_rank_of_a_class_is_not_multiplied_by_its_size():
    rows = cloud(40, 6)
    values = np.linalg.eigvalsh(np.cov(rows.T.numpy(), bias=True))
    assert activation_stable_rank(rows) == pytest.approx(values.sum() / values[-1], rel=1e-10)
    assert activation_stable_rank(rows.repeat(5, 1)) == pytest.approx(activation_stable_rank(rows))


def test_d4_d5_spectra_descend_and_relative_values_are_of_their_own_total():
    found = row_spectrum(cloud(30, 5))
    assert (found.values.diff() <= 0).all()
    assert float(found.relative.sum()) == pytest.approx(1)
    assert float(found.relative.max()) <= 1


def test_d8_d51_an_exactly_self_dual_frame_scores_one_and_its_arguments_are_not_swapped():
    means = torch.tensor(simplex(10, 50))
    assert class_alignment(means, means + 4)[0] == pytest.approx(1.0, rel=1e-12)
    assert self_duality_etf(means, means + 4) == pytest.approx(0, abs=1e-12)
    assert list(inspect.signature(self_duality_etf).parameters)[:2] == ["weight", "means"]


def test_d9_the_rank_of_a_subspace_angle_is_that_of_the_classes():
    for classes in (3, 10):
        means = torch.tensor(simplex(classes, 20))
        assert class_alignment(means, means)[1] == classes - 1


def test_d11_angles_that_are_no_simplex_do_not_average_out():
    rows = cloud(5, 50)
    means = torch.nn.functional.normalize(torch.cat([rows, -rows]), dim=1)
    assert equiangularity(means)[0] > 0.1


def test_d12_small_but_real_directions_count_and_zeros_are_not_inverted():
    means = torch.tensor(simplex(10, 256))
    means[5:] *= 1e-3
    basis = between_basis(means)
    exact = float((1 / basis.singular_values.square()).sum()) / 10
    assert nc1_pinv(torch.eye(256), means) == pytest.approx(exact, rel=1e-9)
    assert nc1_pinv(torch.eye(256), means) > 1e4
    flat = torch.cat([means[:2], means[:2]])  # four classes in one direction: two zeros are left alone
    assert between_basis(flat).rank == 1
    assert nc1_pinv(torch.eye(256), flat) < 1e3


def test_d14_statistics_keep_no_graph():
    features = torch.randn(6, 3, requires_grad=True)
    moments = ClassMoments(2, 3)
    moments.update(features, torch.arange(6) % 2)
    assert not moments.offsets(features, torch.arange(6) % 2).requires_grad
    assert not moments.means.requires_grad


def test_d18_d44_an_empty_class_is_left_out_and_a_single_sample_does_not_vary():
    moments = ClassMoments(4, 3, dtype=torch.float64)
    moments.update(1e4 + cloud(5, 3), torch.tensor([0, 0, 0, 2, 2]))
    moments.update(1e4 + cloud(1, 3), torch.tensor([3]))
    assert moments.present.tolist() == [0, 2, 3]
    assert moments.variances[2] == 0.0
    assert torch.equal(moments.global_mean, moments.means.mean(dim=0))
    assert math.isfinite(cdnv(moments.variances, moments.means)["mean"])


def test_d21_d45_one_weighting_runs_through_a_measure_unless_a_preset_asks_otherwise():
    counts = torch.tensor([90, 10])
    for weighting in ("balanced", "sample"):
        weights = weights_by(weighting, counts)
        parts = (weights.within, weights.pooled, weights.between, weights.center)
        assert all(torch.equal(part, parts[0]) for part in parts)
    features = torch.cat([torch.zeros(90, 1), torch.ones(10, 1)])
    moments = ClassMoments(2, 1)
    moments.update(features, torch.arange(2).repeat_interleave(counts))
    assert float(moments.sample_mean) == pytest.approx(0.1)
    assert float(moments.global_mean) == pytest.approx(0.5)


def test_d22_coincident_means_are_infinite_and_not_a_large_number():
    means = torch.tensor([[0.1, 0.2], [0.1 + 1e-17, 0.2], [3.0, 0.0]], dtype=torch.float64)
    found = cdnv(torch.ones(3), means)
    assert (found["mean"], found["infinite"]) == (math.inf, 1)


def test_d22_a_split_is_an_argument():
    assert not [name for name in MEASURES if "test" in name.lower()]
    found = measured(around(simplex(3, 4), 0.1), around(simplex(3, 4), 0.2), classes=3)
    assert found("CDNV", "test", statistic="mean")[0] > found("CDNV", "train", statistic="mean")[0]


def test_d23_no_square_singular_matrix_is_formed():
    whole = "torch.linalg.svd(cross)"  # of a few dozen latents, both of whose bases are needed whole
    assert source().count(whole) == 1
    code = source().replace(whole, "")
    assert "full_matrices=True" not in code
    assert code.count("linalg.svd(") == code.count("full_matrices=False")


def test_d39_d41_the_decision_of_the_network_has_its_bias():
    means = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    points = means.repeat(5, 1)
    logits = points @ means.T + torch.tensor([0.0, 10.0])
    assert ncc_agreement(points, logits.argmax(dim=1), means) == 0.5
    nearest = NearestCenter(means, torch.arange(2), 2)
    nearest.update(points, torch.arange(10) % 2, Decisions(2).update(logits, torch.arange(10) % 2))
    assert nearest.agreement == 0.5


def test_d42_close_means_far_from_the_origin_are_told_apart_in_float32():
    means = torch.full((2, 8), 1000.0)
    means[1, 0] += 0.05
    points, labels = means.repeat(50, 1), torch.arange(100) % 2
    nearest = NearestCenter(means.double(), torch.arange(2), 2)
    nearest.update(points, labels)
    assert nearest.accuracy == 1.0
    assert torch.equal(nearest_class(points, means)[0], labels)


def test_d43_a_wrong_label_is_refused_and_a_batch_of_one_is_not():
    moments = ClassMoments(3, 2)
    moments.update(torch.ones(1, 2), torch.tensor([1]))
    assert moments.counts.tolist() == [0, 1, 0]
    with pytest.raises(ValueError, match="must lie in 0 … 2"):
        moments.update(torch.ones(2, 2), torch.tensor([0, 3]))


def test_d46_the_pooled_covariance_is_a_matrix_of_features():
    moments = ClassMoments(5, 3, scatter=True)
    moments.update(torch.randn(20, 3), torch.arange(20) % 5)
    assert moments.within_covariance.shape == (3, 3)


@pytest.mark.parametrize("word", ["sha256", "hashlib", "random.seed", "manual_seed_all", "except:"])
def test_d47_d53_d57_no_update_hashes_copies_reseeds_or_hides(word):
    assert word not in source()


def test_d48_float64_stays_float64_and_very_unlikely_values_do_not_underflow():
    means = torch.tensor(simplex(5, 512))
    found = kernel_stats(means, "riesz")
    assert found.mean == pytest.approx(math.sqrt(2.5) ** -510, rel=1e-9)
    assert cdnv(torch.full((5,), 0.16, dtype=torch.float64), torch.tensor(simplex(5, 16)))[
        "mean"
    ] == pytest.approx(0.064, rel=1e-13)


def test_d50_every_public_name_is_there():
    for room in (functional, statistics):
        assert all(hasattr(room, name) for name in room.__all__)
    means, within = torch.tensor(simplex(4, 6))[:3], torch.eye(6)  # K - 1 directions or not: two definitions
    assert nc1_svd(within, means) == nc1_pinv(within, means)
    assert nc1_svd(within, means[[0, 1, 1]]) == math.inf > nc1_pinv(within, means[[0, 1, 1]])


def test_d64_importing_leaves_warnings_alone():
    ignoring = source().count("filterwarnings(") + source().count("simplefilter(")
    assert ignoring <= source().count("with warnings.catch_warnings()")  # for the while of one call only


def test_d75_d76_d77_a_batch_is_not_changed_and_no_outer_products_are_kept():
    features = torch.randn(8, 3)
    before = features.clone()
    moments = ClassMoments(2, 3, scatter=True)
    moments.update(features, torch.arange(8) % 2)
    assert torch.equal(features, before)
    assert max(part.numel() for part in moments.state_dict().values() if part is not None) <= 9


def test_the_nc_layer_asks_for_persistence_too():
    assert nc_layer([0.1, 0.5, 0.1]) == (0, 2)


def test_equal_means_have_no_frame_and_no_dual():
    means = torch.full((4, 3), 0.1)
    assert math.isnan(etf_error(means))
    assert math.isnan(self_duality_frobenius(torch.ones(4, 3), means))


def test_no_measure_changes_the_class_means_that_others_read():
    """One package normalises them in place, which spoils every later measure."""
    moments = ClassMoments(4, 6, scatter=True)
    moments.update(cloud(40, 6), torch.arange(40) % 4)
    before = {name: value.clone() for name, value in moments.compute().items()}
    means, weight = moments.means, cloud(4, 6)
    for measure in (etf_error, equiangularity, functional.mean_norms):
        measure(means)
    functional.weight_means_correlation(weight, means)
    self_duality_etf(weight, means)
    assert torch.equal(means, before["means"])
    assert all(torch.equal(value, before[name]) for name, value in moments.compute().items())


def test_every_defect_is_demonstrated_here_or_named_elsewhere():
    here = {
        f"D-{part[1:]}"
        for name in globals()
        if name.startswith("test_d")
        for part in name.split("_")[1:]
        if part[:1] == "d" and part[1:].isdigit()
    }
    known = here | set(ELSEWHERE) | set(NOT_OURS)
    assert known == {f"D-{number}" for number in range(1, 78)} | {"D-27b"}
    assert VERSIONS.keys() == MEASURES.keys()


@pytest.mark.parametrize("place", sorted(set(ELSEWHERE.values())))
def test_the_tests_that_are_named_exist(place):
    path, _, name = place.partition("::")
    assert (ROOT / path).exists()
    assert not name or f"def {name}(" in (ROOT / path).read_text(encoding="utf-8")
