"""How measures go with accuracies."""

from __future__ import annotations

import csv

import pytest

from layerscope.screening.summary import relation_lines, relations, write_relations
from layerscope.screening.table import COLUMNS, ScreenTable


def row(model, value, accuracy, kind="head", status="ok", measure="DSE"):
    cells = {"model": model, "value": value, "train_accuracy": accuracy, "test_accuracy": accuracy**2}
    cells |= {"accuracy_kind": kind, "status": status, "measure": measure, "split": "test", "layer": "last"}
    return {name: str(cells.get(name, "")) for name in COLUMNS}


ROWS = [row(f"n{place}", place / 10, place / 20) for place in range(1, 9)]


def test_a_measure_that_tells_the_accuracy_correlates_fully():
    by_train, by_test = (relation.found for relation in relations(ROWS))
    assert (by_train.n, by_train.pearson, by_train.spearman) == (8, pytest.approx(1), pytest.approx(1))
    assert by_test.pearson < 0.999
    assert by_test.spearman == pytest.approx(1)


def test_accuracies_of_different_kinds_and_failed_networks_are_kept_apart():
    others = [row(f"m{place}", -place, place / 20, kind="centers") for place in range(1, 5)]
    failed = [row("f", 0.5, 0.5, status="failed")]
    found = {(one.accuracy_kind, one.accuracy): one.found for one in relations([*ROWS, *others, *failed])}
    assert found["head", "train"].n == 8
    assert (found["centers", "train"].n, found["centers", "train"].spearman) == (4, pytest.approx(-1))


def test_what_cannot_be_told_is_said_as_none(tmp_path):
    ScreenTable(tmp_path).write(ROWS[:2])
    found = write_relations(tmp_path)
    assert relation_lines(found)[1] == ["DSE", "test", "train", "own classifier", "none", "", "none", "", "2"]
    with (tmp_path / "correlations.csv").open() as stream:
        lines = list(csv.DictReader(stream))
    assert [(line["accuracy"], line["n"], line["pearson"]) for line in lines] == [
        ("train", "2", "nan"),
        ("test", "2", "nan"),
    ]
