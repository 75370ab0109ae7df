"""The engine against the definitions: every row of every measure, over a whole network."""

import numpy as np
import pytest
import torch

from layerscope.measures.catalog import OF_PAIRS, SAMPLED, VERSIONS

from .naive_measures import naive_rows
from .tiny_network import (
    BALANCED,
    CASES,
    EMPTY_CLASS,
    FAR_AWAY,
    IMBALANCED,
    MANY_CLASSES,
    Bench,
    assert_same_rows,
)

RTOL = {torch.float64: 1e-9, torch.float32: 1e-4}
ATOL = {torch.float64: 1e-12, torch.float32: 1e-7}  # for values that are 0 but for rounding


def expected_rows(bench):
    layers, logits = bench.naive_layers()
    labels = {name: split.labels.numpy() for name, split in bench.splits.items()}
    return naive_rows(layers, labels, logits, loss=bench.loss, weighting=bench.weighting)


def assert_equals_the_definitions(bench):
    found, expected = bench.rows(), expected_rows(bench)
    assert found.keys() == expected.keys()
    exact = set(VERSIONS) - SAMPLED - OF_PAIRS  # estimates have truths of their own
    assert {measure for measure, *_ in found} == exact
    for key, row in found.items():
        if key[0] == "VCI" and row["status"] == "degenerate":
            continue  # directions without variance, but for rounding
        # A singular vector turns by rounding over the gap of its value: far from the origin, 1e5 times it.
        # An eigenvalue of 0 is rounding of the largest one.
        atol = ATOL[bench.dtype] * {"MLPSVD": 1e5, "ActivationCovSVs": 1e2, "VCI": 1e5}.get(key[0], 1)
        np.testing.assert_allclose(
            row["value"], expected[key], rtol=RTOL[bench.dtype], atol=atol, err_msg=str(key)
        )


@pytest.mark.parametrize(
    ("weighting", "dtype"),
    [("balanced", torch.float64), ("sample", torch.float64), ("sample", torch.float32)],
    ids=str,
)
@pytest.mark.parametrize("case", CASES)
def test_every_row_equals_its_definition(case, weighting, dtype):
    assert_equals_the_definitions(Bench(CASES[case], weighting=weighting, dtype=dtype))


@pytest.mark.parametrize("weighting", ["papyan", "rnc", "inc"])
def test_every_row_of_a_preset_equals_its_definition(weighting):
    assert_equals_the_definitions(Bench(IMBALANCED, weighting=weighting))


@pytest.mark.parametrize("weighting", ["sample", "papyan", "rnc"])
def test_presets_agree_on_balanced_data(weighting):
    expected = {key: row | {"weighting": weighting} for key, row in Bench(BALANCED).rows().items()}
    assert_same_rows(Bench(BALANCED, weighting=weighting).rows(), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("where", "reduce_name", "case", "dtype"),
    [
        ("input", "flatten", FAR_AWAY, torch.float32),
        ("input", "mean", IMBALANCED, torch.float64),
        ("input", "project:5", IMBALANCED, torch.float32),
        ("output", "flatten", IMBALANCED, torch.float32),
        ("output", "flatten", MANY_CLASSES, torch.float64),
        ("output", "mean", MANY_CLASSES, torch.float64),
        ("output", "project:5", EMPTY_CLASS, torch.float64),
    ],
    ids=str,
)
def test_every_tap_and_reduction_equals_its_definition(where, reduce_name, case, dtype):
    bench = Bench(case, where=where, reduce_name=reduce_name, dtype=dtype, loss="mseloss")
    assert_equals_the_definitions(bench)


def test_the_reference_is_not_trivial():
    found = Bench().rows()
    accuracy = found["NCC", "test", "fc2", (("statistic", "accuracy"),)]["value"]
    agreement = found["NCC", "test", "fc2", (("statistic", "agreement"),)]["value"]
    ranks = {dict(key[3])["rank"] for key in found if key[0] == "AngleBetweenSubspaces"}
    assert 0.2 < accuracy < 1
    assert agreement < 1
    assert ranks == {0, 2, 4}  # skipped, two channels, K - 1
