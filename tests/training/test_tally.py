from __future__ import annotations

import pytest
import torch

from layerscope.training.tally import Counts, Tally


@pytest.fixture
def tally():
    tally = Tally()
    tally.add(torch.tensor(1.0), torch.tensor([[0.0, 1.0]] * 3), torch.tensor([1, 1, 0]))
    tally.add(torch.tensor(5.0), torch.tensor([[1.0, 0.0]]), torch.tensor([0]))
    return tally


def test_batches_count_by_their_size(tally):
    counts = tally.counts()
    assert counts.samples == 4
    assert counts.loss == pytest.approx((3 * 1 + 5) / 4)
    assert counts.accuracy == 3 / 4
    assert counts.losses.tolist() == [1.0, 5.0]


def test_two_parts_of_an_epoch_count_as_the_whole(tally):
    later = Tally()
    later.add(torch.tensor(0.1), torch.tensor([[0.0, 1.0]] * 7), torch.tensor([1] * 5 + [0] * 2))
    together = tally.counts() + later.counts()
    assert together.sizes.tolist() == [3, 1, 7]
    assert together.hits.tolist() == [2, 1, 5]
    assert together.loss == pytest.approx((3 * 1 + 5 + 7 * 0.1) / 11)
    assert (Counts() + together).loss == together.loss


def test_nothing_has_no_mean():
    assert Counts().samples == 0
    assert Counts().loss != Counts().loss
    assert Counts().accuracy != Counts().accuracy


def test_no_graph_is_kept_alive():
    logits = torch.zeros(2, 2, requires_grad=True)
    tally = Tally()
    tally.add(logits.sum(), logits, torch.tensor([0, 1]))
    assert not tally.counts().losses.requires_grad
