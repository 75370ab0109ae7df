"""Squared lengths by class, of which those of small batches wait."""

import pytest
import torch

from layerscope.statistics import class_squares
from layerscope.statistics.class_squares import ClassSquares

LENGTHS = torch.rand(40, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(40) % 3


def add(squares, lengths, labels):
    place = squares.place(len(lengths), lengths.dtype)
    if place is None:
        squares.add(lengths, labels)
    else:
        place.copy_(lengths)
        squares.wait(labels)


def summed(sizes, *, read_between=False):
    squares = ClassSquares(4, torch.float32, "cpu")
    for lengths, labels in zip(LENGTHS.split(sizes), LABELS.split(sizes), strict=True):
        add(squares, lengths, labels)
        _ = squares.totals if read_between else None
    return squares.totals


def test_the_sums_are_those_of_the_squares():
    truth = [float(LENGTHS[label == LABELS].double().square().sum()) for label in range(4)]
    assert summed([7, 13, 20]).tolist() == pytest.approx(truth, rel=1e-14)


@pytest.mark.parametrize("room", [1, 10, 2**16])
def test_they_are_the_same_bits_however_many_wait_and_whenever_they_are_read(monkeypatch, room):
    at_once = summed([40])
    monkeypatch.setattr(class_squares, "ROOM", room)
    assert torch.equal(summed([1] * 40), at_once)
    assert torch.equal(summed([7, 13, 20], read_between=True), at_once)


def test_lengths_of_another_precision_do_not_wait():
    squares = ClassSquares(2, torch.float32, "cpu")
    assert squares.place(1, torch.float64) is None
    add(squares, torch.tensor([1 / 3], dtype=torch.float64), torch.tensor([1]))
    assert squares.totals.tolist() == [0.0, pytest.approx(1 / 9, rel=1e-15)]


def test_what_replaces_the_sums_forgets_those_that_wait():
    squares = ClassSquares(2, torch.float32, "cpu")
    add(squares, torch.ones(2), torch.tensor([0, 1]))
    squares.replace(torch.tensor([5.0, 6.0], dtype=torch.float64))
    add(squares, torch.ones(1), torch.tensor([1]))
    assert squares.totals.tolist() == [5.0, 7.0]
