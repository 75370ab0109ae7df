"""What every registered measure promises, whatever it measures."""

import functools
import math
from dataclasses import replace

import pytest

from layerscope.config import names
from layerscope.measurement.measure import table_rows
from layerscope.measures.base import Need
from layerscope.measures.catalog import BY_MEMORY, OF_OTHER_IMAGES, OF_PAIRS, SAMPLED, VERSIONS
from layerscope.measures.registry import MEASURES
from layerscope.results.rows import RESULT
from layerscope.results.tables import TableStore

from ..measurement.tiny_network import BALANCED, EMPTY_CLASS, Bench

COMMON = ("epoch", "split", "layer_name", "layer_index")
WORLDS = {
    "usual": Bench(BALANCED),
    "empty class": Bench(EMPTY_CLASS, where="output", reduce_name="mean"),
    "singletons": Bench(replace(BALANCED, train=(3, 0, 1, 0, 2), test=(1, 1, 1, 1, 1))),
    "one class": Bench(
        replace(BALANCED, train=(0, 0, 4, 0, 0), test=(0, 0, 1, 0, 0)), reduce_name="project:3"
    ),
}


@functools.cache
def statistics_of(world):
    return WORLDS[world].statistics()


@functools.cache
def rows_of(world, measure):
    return table_rows(7, MEASURES[measure], statistics_of(world))


@pytest.fixture(params=WORLDS)
def world(request):
    return request.param


@pytest.fixture(params=MEASURES)
def measure(request):
    return MEASURES[request.param]


def test_the_registry_has_the_measures_of_the_config_in_that_order():
    assert tuple(MEASURES) == tuple(VERSIONS) == names.MEASURES
    groups = [group for group in names.MEASURE_GROUPS if group != "All"]
    grouped = [name for group in groups for name in names.MEASURE_GROUPS[group]]
    assert sorted(grouped) == sorted(names.MEASURES)
    assert names.MEASURE_GROUPS["All"] == names.MEASURES


def test_a_measure_is_listed_under_its_own_name_and_needs_something_known(measure):
    assert MEASURES[measure.name] is measure
    assert isinstance(VERSIONS[measure.name], int)
    assert measure.needs != Need.NOTHING
    assert len(set(measure.qualifiers)) == len(measure.qualifiers)


def test_the_catalogue_knows_without_torch_what_a_measure_looks_at(measure):
    assert (measure.name in SAMPLED) == bool(measure.needs & Need.SAMPLE)
    assert (measure.name in OF_PAIRS) == bool(measure.needs & Need.PAIRS)
    assert (measure.name in OF_OTHER_IMAGES) == bool(measure.needs & Need.OOD)
    assert (measure.name in BY_MEMORY) == bool(measure.needs & Need.SPECTRA)


def test_rows_have_exactly_the_promised_columns(measure, world):
    rows = rows_of(world, measure.name)
    assert rows
    for row in rows:
        assert tuple(row) == (*COMMON, *measure.qualifiers, *RESULT)


def test_rows_are_plain_numbers_and_texts(measure, world):
    for row in rows_of(world, measure.name):
        kinds = {name: type(cell) for name, cell in row.items() if name not in measure.qualifiers}
        assert kinds.pop("error") in (float, type(None))
        assert kinds.pop("ceiling") in (float, type(None))
        assert kinds == {
            "epoch": int, "split": str, "layer_name": str, "layer_index": int,
            "value": float, "status": str, "reason": str, "unit": str,
            "weighting": str, "where": str, "reduce": str,
            "samples": int, "classes": int, "singletons": int, "dim": int,
        }  # fmt: skip
        assert {type(row[name]) for name in measure.qualifiers} <= {int, str}


def test_every_row_has_a_key_of_its_own(measure, world):
    rows = rows_of(world, measure.name)
    keys = {tuple(row[name] for name in (*COMMON, *measure.qualifiers)) for row in rows}
    assert len(keys) == len(rows)


def test_the_status_says_what_the_value_is(measure, world):
    fits = {
        "ok": math.isfinite,
        "degenerate": math.isfinite,
        "infinite": math.isinf,
        "undefined": math.isnan,
        "skipped": math.isnan,
    }
    for row in rows_of(world, measure.name):
        assert fits[row["status"]](row["value"]), row
        assert (row["status"] == "degenerate") == bool(row["reason"]), row


def test_values_are_the_same_every_time(measure, world):
    again = table_rows(7, measure, statistics_of(world))
    assert repr(again) == repr(rows_of(world, measure.name))


@pytest.mark.parametrize("of", ["usual", "one class"])
def test_collecting_again_gives_the_same_rows(of):
    again = WORLDS[of].statistics()
    for name, measure in MEASURES.items():
        assert repr(table_rows(7, measure, again)) == repr(rows_of(of, name))


def test_a_measure_asks_for_all_that_it_reads(measure):
    bench = WORLDS["usual"]
    just_enough = bench.collector(measure.needs).collect(bench.model, measure.needs)
    found, expected = table_rows(7, measure, just_enough), rows_of("usual", measure.name)
    numbers = {"value", "error", "ceiling"}  # sums of small batches are formed later where offsets are kept
    for row, other in zip(found, expected, strict=True):
        assert {k: v for k, v in row.items() if k not in numbers} == {
            k: v for k, v in other.items() if k not in numbers
        }
        for name in numbers - {name for name in numbers if other[name] is None}:
            assert row[name] == pytest.approx(other[name], rel=1e-9, abs=1e-13, nan_ok=True)


def test_rows_survive_the_table_bit_by_bit(measure, tmp_path):
    rows = rows_of("singletons", measure.name)
    store = TableStore(tmp_path)
    store.replace(measure.name, 7, rows, "key")
    table = store.read(measure.name)
    key = ["split", "layer_index", "layer_name", *measure.qualifiers]
    expected = sorted(rows, key=lambda row: tuple(row[name] for name in key))
    assert [repr(value) for value in table["value"].tolist()] == [repr(row["value"]) for row in expected]
    assert table["status"].tolist() == [row["status"] for row in expected]


def test_the_model_is_only_looked_at(measure):
    model = WORLDS["usual"].model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    table_rows(7, measure, statistics_of("usual"))
    assert all(module.training for module in model.modules())
    assert all((value == before[name]).all() for name, value in model.state_dict().items())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_common_columns_speak_about_the_data(measure):
    bench = WORLDS["empty class"]
    for row in rows_of("empty class", measure.name):
        assert row["weighting"] == "balanced"
        about_features = row["split"] != "weights" and row["layer_name"] != "logits"
        assert (row["where"], row["reduce"]) == (("output", "mean") if about_features else ("", ""))
        if row["split"] == "weights":
            assert (row["samples"], row["classes"], row["singletons"]) == (0, 0, 0)
        elif row["split"] == "ood":
            assert (row["samples"], row["classes"]) == (len(bench.ood), 5)
        elif measure.name in SAMPLED:
            assert row["samples"] == row["n"] == bench.sample
        else:
            assert row["samples"] == len(bench.splits[row["split"]])
            assert row["classes"] == {"train": 5, "test": 4}[row["split"]]
        if row["layer_name"] == "logits":
            assert (row["layer_index"], row["dim"]) == (7, 5)
        if row["layer_name"] == "fc1":
            assert (row["layer_index"], row["dim"]) == (4, 7)


def test_classes_of_one_sample_are_counted(measure):
    for row in rows_of("singletons", measure.name):
        if row["split"] == "weights":
            continue
        if row["split"] == "test":  # no two of its five images have one label
            assert row["singletons"] == row["classes"]
        else:
            assert (row["classes"], row["singletons"]) == (3, 1)
