"""The memory of a computation is followed through its tensors."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from layerscope.preview.live_tensors import LiveTensors


def peak_of(work, *known, device="cpu"):
    with torch.no_grad(), LiveTensors(known) as live:
        work()
    return live.peak


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_a_chain_holds_two_neighbours_at_once(device):
    images = torch.zeros(2, 100, device=device)
    layers = [nn.Linear(100, 50), nn.Linear(50, 300), nn.Linear(300, 10)]
    model = nn.Sequential(*layers).to(device)
    known = [images, *model.parameters()]
    assert peak_of(lambda: model(images), *known) == 2 * (50 + 300) * 4


def test_a_branch_that_is_kept_counts_until_it_is_added():
    images = torch.zeros(1, 1000)

    def work():
        first = images + 1
        second = first * 2
        third = second * 2
        del second
        return first + third

    assert peak_of(work, images) == 3 * 4000


def test_views_and_operations_in_place_cost_nothing():
    images = torch.zeros(1, 1000)
    assert peak_of(lambda: images.clone().relu_().view(10, 100).flatten(), images) == 4000


def test_what_is_known_does_not_count():
    weight = torch.zeros(100, 100)
    assert peak_of(lambda: weight.t().reshape(100, 100).contiguous(), weight) <= 40_000
    assert peak_of(lambda: weight.t(), weight) == 0


def test_several_results_are_all_counted():
    values = torch.zeros(1000)
    assert peak_of(lambda: values.max(dim=0), values) == 4 + 8
    assert peak_of(lambda: values.sort(), values) == 1000 * (4 + 8)
