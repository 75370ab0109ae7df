"""Rows wait until there are enough of them."""

import pytest
import torch

from layerscope.statistics import ClassMoments, waiting_rows
from layerscope.statistics.waiting_rows import WaitingRows


def written(waiting, rows, labels):
    waiting.next(len(rows)).copy_(rows)
    waiting.put(labels)


@pytest.mark.parametrize("keeps", [False, True])
def test_rows_are_taken_once_in_their_order(keeps):
    waiting = WaitingRows(torch.empty(6, 3), keeps=keeps)
    rows, labels = torch.arange(12.0).view(4, 3), torch.arange(4)
    written(waiting, rows[:1], labels[:1])
    written(waiting, rows[1:], labels[1:])
    assert len(waiting) == 4
    taken, names = waiting.take()
    assert torch.equal(taken, rows)
    assert torch.equal(names, labels)
    assert len(waiting) == 0
    written(waiting, rows[:2] + 100, labels[:2])
    assert torch.equal(waiting.take()[0], rows[:2] + 100)


def test_rows_that_are_kept_stay_where_they_are():
    waiting = WaitingRows(torch.empty(6, 3), keeps=True)
    rows = torch.arange(12.0).view(4, 3)
    written(waiting, rows, torch.arange(4))
    waiting.take()
    written(waiting, rows[:2], torch.arange(2))
    assert torch.equal(waiting.kept, torch.cat([rows, rows[:2]]))


@pytest.mark.parametrize("keeps", [False, True])
def test_rows_that_are_skipped_do_not_wait(keeps):
    waiting = WaitingRows(torch.empty(6, 3), keeps=keeps)
    waiting.next(2).fill_(1.0)
    waiting.skip(2)
    assert len(waiting) == 0
    assert len(waiting.kept) == (2 if keeps else 0)
    written(waiting, torch.zeros(3, 3), torch.arange(3))
    assert torch.equal(waiting.take()[0], torch.zeros(3, 3))


def test_room_is_what_is_left():
    own = WaitingRows(torch.empty(5, 2), keeps=False)
    assert own.could_hold(5, torch.float32)
    assert not own.could_hold(6, torch.float32)
    assert not own.could_hold(1, torch.float64)
    assert WaitingRows(torch.empty(5, 2), keeps=True).could_hold(1, torch.float64)
    written(own, torch.zeros(3, 2), torch.zeros(3, dtype=torch.int64))
    assert own.has_room(2)
    assert not own.has_room(3)
    own.take()
    assert own.has_room(5)


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
