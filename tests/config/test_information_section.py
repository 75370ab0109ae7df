"""``Measurements.information``, ``repeats`` and ``n-grid``."""

from __future__ import annotations

import pytest

from layerscope.config import Config, parse_config
from layerscope.config.sections.information import ALL_EIGENVALUES, LEAST_POWER
from layerscope.errors import ConfigError
from layerscope.functional import diffusion, eigenvalues
from layerscope.measurement.key import measurement_key

SMALLEST = {
    "Model": {"model-name": "mlp"},
    "Data": {"dataset-id": "digits"},
    "Optimizer": {"lr": 0.1, "epochs": 20},
    "Logging": {"save-dir": "logs/x"},
}


GRAPHS = (True, "gaussian", False, "knn:5")


def config_with(**measurements) -> Config:
    return parse_config({**SMALLEST, "Measurements": measurements})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"bandwidth": "medium"}, "'medium' is not a bandwidth: median, knn:K, sqrtD:C or a number above 0"),
        ({"bandwidth": "knn:0"}, "'knn:0' is not a bandwidth"),
        ({"bandwidth": 0}, "a bandwidth is above 0, not 0"),
        ({"times": []}, "times must be a number of at least 0.5 .rounding decides smaller powers., or"),
        ({"times": [1, 0.25]}, "times must be a number of at least 0.5"),
        ({"alpha": 2}, "alpha must be a number from 0 to 1"),
        ({"binnings": "30"}, "'30' is not a binning such as minmax:30, per_unit:2 or fixed:30:-1:1"),
        ({"binnings": "fixed:30"}, "'fixed:30' is not a binning"),
        ({"binnings": "fixed:30:1:-1"}, "'fixed:30:1:-1' is no binning fixed:B:LOW:HIGH with two numbers"),
        ({"binnings": "fixed:30:a:1"}, "'fixed:30:a:1' is no binning fixed:B:LOW:HIGH"),
        ({"adjacency": "knn"}, "'knn' is no graph: gaussian or knn:K"),
        ({"adjacency": "knn:2000"}, r"adjacency knn:2000, which takes more samples than 2000 \(sample\)"),
        ({"units": "bit"}, "units must be nats or bits, not 'bit'"),
        (
            {"bandwith": "median"},
            "unknown key .bandwith. in Measurements.information; did",
        ),
    ],
)
def test_a_wrong_setting_of_estimates_is_refused_when_the_config_is_read(given, message):
    with pytest.raises(ConfigError, match=message):
        config_with(information=given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"repeats": 1}, "repeats is 1, which tells no spread"),
        ({"n-grid": [100, 2000]}, r"n-grid has 2000, which is not smaller than sample \(2000\)"),
        (
            {"sample": 6000, "information": {"times": [0.5, 1]}},
            r"sample is 6000, but powers below 1 \(information.times\) .* for 5000 images at most",
        ),
    ],
)
def test_error_bars_and_sizes_that_tell_nothing_are_refused(given, message):
    with pytest.raises(ConfigError, match=message):
        config_with(**given)


def test_one_power_or_binning_stands_for_a_list():
    information = config_with(information={"times": 2, "binnings": "per_unit:5"}).measurements.information
    assert information.times == (2.0,)
    assert information.binnings == ("per_unit:5",)


def test_the_older_word_for_the_kernel_as_a_graph_is_taken():
    graphs = [config_with(information={"adjacency": a}).measurements.information.adjacency for a in GRAPHS]
    assert graphs == ["gaussian", "gaussian", False, "knn:5"]


@pytest.mark.parametrize(
    "changes",
    [{"repeats": 3}, {"n-grid": [100]}, {"sample": 500}, {"information": {"bandwidth": 2.5}}],
)
def test_estimates_are_made_anew_with_other_settings_and_nothing_else_is(changes):
    before, after = config_with(), config_with(**changes)
    assert measurement_key(before, "DSE", "x") != measurement_key(after, "DSE", "x")
    assert measurement_key(before, "NC1", "x") == measurement_key(after, "NC1", "x")


def test_halves_measure_nothing_anew_that_has_errors_of_its_own():
    before, after = config_with(), config_with(repeats=3)
    for measure in ("LatentMI", "PairedLatentMI", "JointPMF"):
        assert measurement_key(before, measure, "x") == measurement_key(after, measure, "x")
    smaller = config_with(**{"n-grid": [100]})
    for measure in ("LatentMI", "DiscreteMI"):
        assert measurement_key(before, measure, "x") != measurement_key(smaller, measure, "x")
    assert measurement_key(before, "DiscreteMI", "x") != measurement_key(after, "DiscreteMI", "x")


def test_the_sample_of_features_says_nothing_about_decisions_on_all_pairs():
    before, after = config_with(), config_with(sample=500)
    assert measurement_key(before, "DiscreteMI", "x") == measurement_key(after, "DiscreteMI", "x")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sample": 30}, r"bandwidth knn:30, which takes more samples than 30 \(sample\)"),
        ({"n-grid": [50, 30]}, r"which takes more samples than 30 \(n-grid\)"),
        ({"n-grid": [60], "repeats": 2}, r"which takes more samples than halves of 60 \(n-grid, repeats\)"),
    ],
)
def test_a_bandwidth_of_more_neighbours_than_samples_is_refused(given, message):
    with pytest.raises(ConfigError, match=message):
        config_with(information={"bandwidth": "knn:30"}, **given)


def test_a_bandwidth_of_fewer_neighbours_than_samples_is_taken():
    config_with(information={"bandwidth": "knn:30"}, repeats=2, **{"n-grid": [62]})


def test_what_is_estimated_makes_no_run_another_one():
    assert config_with().hash == config_with(information={"alpha": 1}, repeats=5).hash


def test_the_config_knows_what_powers_the_functions_refuse():
    assert (LEAST_POWER, ALL_EIGENVALUES) == (eigenvalues.LEAST_POWER, diffusion.EXACT)
