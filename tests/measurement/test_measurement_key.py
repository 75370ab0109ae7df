"""The identity of measured rows: everything that changes numbers, nothing that does not."""

import pytest

from layerscope.config import parse_config
from layerscope.measurement.key import measurement_key, selected_measures
from layerscope.measures import catalog

BASE = {
    "Model": {"model-name": "mlp_small"},
    "Data": {"dataset-id": "digits", "batch-size": 64},
    "Optimizer": {"lr": 0.05, "epochs": 3},
    "Logging": {"save-dir": "unused"},
}


def config_of(section="Run", **changes):
    sections = {*BASE, section}
    return parse_config({s: BASE.get(s, {}) | (changes if s == section else {}) for s in sections})


def key_of(section="Run", *, measure="NC1", digest="abc", **changes):
    return measurement_key(config_of(section, **changes), measure, digest)


@pytest.mark.parametrize(
    ("section", "changes"),
    [
        ("Measurements", {"weighting": "sample"}),
        ("Measurements", {"precision": "float64"}),
        ("Measurements", {"splits": ["train"]}),
        ("Model", {"tap": "output"}),
        ("Model", {"reduce": "mean"}),
        ("Model", {"reduce": "project:64"}),
        ("Model", {"embedding-layers": [".fc1"]}),
        ("Model", {"model-name": "mlp_wide"}),
        ("Data", {"subset": 100}),
        ("Data", {"random-labels": 0.5}),
        ("Optimizer", {"loss": "CELoss"}),
        ("Run", {"run": 1}),
        ("Run", {"seed": 1}),
    ],
)
def test_every_setting_that_changes_numbers_changes_the_key(section, changes):
    assert key_of(section, **changes) != key_of()


@pytest.mark.parametrize(
    ("section", "changes"),
    [
        ("Measurements", {"memory": "512MB"}),
        ("Measurements", {"batch-size": 17}),
        ("Measurements", {"measures": ["NC1", "CDNV"]}),
        ("Measurements", {"splits": ["test", "train"]}),
        ("Logging", {"save-dir": "elsewhere"}),
        ("Data", {"root": "elsewhere"}),
    ],
)
def test_settings_that_change_nothing_but_rounding_leave_the_key(section, changes):
    assert key_of(section, **changes) == key_of()


@pytest.mark.parametrize("measure", sorted(catalog.BY_MEMORY))
def test_memory_changes_the_key_of_what_it_may_turn_into_estimates(measure):
    few, many, same = (key_of("Measurements", measure=measure, memory=m) for m in ("1GB", "4GB", "4000MB"))
    assert few != many == same


@pytest.mark.parametrize("measure", catalog.VERSIONS)
def test_the_exponent_changes_the_key_of_cdnv_alone_and_at_1_of_nothing(measure):
    default, one, two = (
        key_of("Measurements", measure=measure, **given)
        for given in ({}, {"cdnv-exponent": 1}, {"cdnv-exponent": 2.0})
    )
    assert one == default
    assert (two != default) == (measure in ("CDNV", "CDNVPairs"))


def test_at_exponent_1_tables_that_were_measured_before_there_was_one_stay_valid(monkeypatch):
    monkeypatch.setitem(catalog.VERSIONS, "CDNV", 4)
    monkeypatch.setitem(catalog.VERSIONS, "CDNVPairs", 1)
    assert key_of(measure="CDNV") == "a2740b890516dccc"
    assert key_of(measure="CDNVPairs") == "661c7110fa9a5f9d"


def test_two_layer_lists_have_two_keys():
    assert key_of("Model", **{"embedding-layers": ["a"]}) != key_of("Model", **{"embedding-layers": ["b"]})


def test_measure_and_checkpoint_change_the_key():
    assert len({key_of(), key_of(measure="CDNV"), key_of(digest="abd")}) == 3


def test_a_new_version_of_a_measure_changes_its_key_alone(monkeypatch):
    before = key_of(), key_of(measure="CDNV")
    monkeypatch.setitem(catalog.VERSIONS, "NC1", catalog.VERSIONS["NC1"] + 1)
    assert key_of() != before[0]
    assert key_of(measure="CDNV") == before[1]


def test_the_key_is_short_and_the_same_every_time():
    assert key_of() == key_of()
    assert len(key_of()) == 16


def test_measures_are_selected_in_the_order_of_the_registry():
    config = config_of("Measurements", measures=["StableRank", "CDNV", "Accuracy"])
    assert selected_measures(config) == ("Accuracy", "CDNV", "ActivationStableRank")
