from __future__ import annotations

import pytest
import torch

from layerscope.training.tally import Tally


def test_batches_count_by_their_size():
    tally = Tally()
    tally.add(torch.tensor(1.0), torch.tensor([[0.0, 1.0]] * 3), torch.tensor([1, 1, 0]))
    tally.add(torch.tensor(5.0), torch.tensor([[1.0, 0.0]]), torch.tensor([0]))
    assert tally.samples == 4
    assert tally.loss == pytest.approx((3 * 1 + 5) / 4)
    assert tally.accuracy == 3 / 4
    assert tally.losses.tolist() == [1.0, 5.0]


def test_no_graph_is_kept_alive():
    logits = torch.zeros(2, 2, requires_grad=True)
    tally = Tally()
    tally.add(logits.sum(), logits, torch.tensor([0, 1]))
    assert not tally.losses.requires_grad
