"""Rows wait until there are enough of them."""

import pytest
import torch

from layerscope.statistics import ClassMoments, waiting_rows
from layerscope.statistics.waiting_rows import WaitingRows


def test_rows_come_out_once_in_their_order():
    waiting = WaitingRows(3, "cpu")
    rows = torch.arange(12.0).view(4, 3)
    waiting.put(rows[:1])
    waiting.put(rows[1:])
    assert torch.equal(waiting.take(), rows)
    assert len(waiting.take()) == 0


def test_room_is_what_is_left(monkeypatch):
    monkeypatch.setattr(waiting_rows, "VALUES", 10)
    waiting = WaitingRows(2, "cpu")
    assert waiting.could_hold(torch.zeros(5, 2))
    assert not waiting.could_hold(torch.zeros(6, 2))
    assert not waiting.could_hold(torch.zeros(1, 2, dtype=torch.float64))
    waiting.put(torch.zeros(3, 2))
    assert waiting.has_room(2)
    assert not waiting.has_room(3)


@pytest.mark.parametrize("room", [4, 60, 2**20])
def test_the_scatter_does_not_depend_on_how_many_rows_wait(monkeypatch, room):
    monkeypatch.setattr(waiting_rows, "VALUES", room)
    draw = torch.Generator().manual_seed(0)
    features, labels = torch.randn(50, 4, generator=draw), torch.arange(50) % 3
    moments, other = ClassMoments(3, 4, scatter=True), ClassMoments(3, 4, scatter=True)
    for rows, names in zip(features[:30].split(7), labels[:30].split(7), strict=True):
        moments.update(rows, names)
    between = moments.within_covariance
    other.update(features[30:], labels[30:])
    moments.merge(other)
    again = ClassMoments(3, 4)
    again.load_state_dict(moments.state_dict())
    expected = [torch.zeros(4, 4, dtype=torch.float64) for _ in range(2)]
    for total, count in zip(expected, (30, 50), strict=True):
        for c in range(3):
            rows = features[:count][labels[:count] == c].double()
            total += (rows - rows.mean(dim=0)).T @ (rows - rows.mean(dim=0)) / count
    torch.testing.assert_close(between, expected[0], rtol=1e-5, atol=1e-6)
    for found in (moments.within_covariance, again.within_covariance):
        torch.testing.assert_close(found, expected[1], rtol=1e-5, atol=1e-6)
