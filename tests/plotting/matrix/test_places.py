"""Axes of a matrix in figures."""

from __future__ import annotations

import pandas as pd
import pytest

from layerscope.errors import UsageError
from layerscope.plotting.matrix.places import (
    cells,
    check_axes,
    clipped,
    telling_axes,
    value_text,
    values_of,
    with_parts,
)

RUNS = pd.DataFrame(
    {
        "run": ["a", "b", "c", "d"],
        "exclusive": pd.Categorical(["true/small", "true/large", "random/small", "random/large"]),
        "Model.model-name": pd.Categorical(["mlp", "resnet18", "mlp", "resnet18"]),
        "Model.embedding-layers": pd.Categorical(["[fc]", "[conv]", "[fc]", "[conv]"]),
        "Data.random-labels": [0.0, 0.0, 1.0, 1.0],
        "Optimizer.lr": 0.1,
        "Run.run": 0,
    }
)


def test_axes_that_follow_from_others_tell_nothing():
    assert telling_axes(with_parts(RUNS)) == ["exclusive.1", "Model.model-name"]
    assert telling_axes(RUNS.drop(columns="exclusive")) == ["Model.model-name", "Data.random-labels"]
    assert telling_axes(RUNS[:1]) == []


def test_nested_submatrices_are_divided_only_where_all_are_nested_alike():
    assert list(with_parts(RUNS).columns[1:3]) == ["exclusive.1", "exclusive.2"]
    uneven = RUNS.assign(exclusive=pd.Categorical(["true/small", "b", "c", "d"]))
    assert "exclusive" in with_parts(uneven)


def test_values_come_in_their_order_and_missing_ones_last():
    assert values_of(pd.Series([3.0, None, 1.0])) == [1.0, 3.0, None]
    assert values_of(pd.Series(pd.Categorical(["b", "a"], categories=["b", "c", "a"]))) == ["b", "a"]


def test_cells_are_named_by_what_is_plain_and_what_is_not():
    assert [name for name, _ in cells(RUNS, ["Model.model-name", "Data.random-labels"])] == [
        *("mlp · random-labels 0", "mlp · random-labels 1"),
        *("resnet18 · random-labels 0", "resnet18 · random-labels 1"),
    ]
    assert value_text("Optimizer.lr", None) == "lr not set"


def test_a_long_text_loses_its_middle():
    assert clipped("abcdefghij", 5) == "ab…ij"
    assert clipped("abcde", 5) == "abcde"


def test_an_unknown_axis_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match=r"no axis 'Optimizer\.rl'; did you mean 'Optimizer\.lr'"):
        check_axes(RUNS, ["Optimizer.rl"])
