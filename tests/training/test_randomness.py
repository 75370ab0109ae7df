from __future__ import annotations

import torch

from layerscope.training.randomness import epoch_augmentation, epoch_dropout, epoch_order

CPU = torch.device("cpu")


def test_an_epoch_visits_every_sample_once_in_the_same_order_every_time(config_of):
    order = epoch_order(config_of(), 4, 200)
    assert sorted(order.tolist()) == list(range(200))
    assert torch.equal(order, epoch_order(config_of(), 4, 200))


def test_epochs_runs_and_seeds_have_their_own_orders(config_of):
    orders = [
        epoch_order(config_of(), 4, 200),
        epoch_order(config_of(), 5, 200),
        epoch_order(config_of(Run={"run": 1}), 4, 200),
        epoch_order(config_of(Run={"seed": 1}), 4, 200),
    ]
    assert len({tuple(order.tolist()) for order in orders}) == 4


def test_a_last_batch_of_one_sample_is_left_out(config_of):
    config = config_of(Data={"batch-size": 8})
    assert [len(epoch_order(config, 1, samples)) for samples in (15, 16, 17, 18)] == [15, 16, 16, 18]


def test_the_only_batch_and_batches_of_one_stay(config_of):
    assert len(epoch_order(config_of(Data={"batch-size": 8}), 1, 1)) == 1
    assert len(epoch_order(config_of(Data={"batch-size": 1}), 1, 17)) == 17


def test_augmentation_has_a_stream_only_when_asked_for(config_of):
    assert epoch_augmentation(config_of(), 1) is None
    draws = [
        torch.rand(3, generator=epoch_augmentation(config_of(Data={"do-augmentation": True}), epoch)).tolist()
        for epoch in (1, 1, 2)
    ]
    assert draws[0] == draws[1] != draws[2]


def test_dropout_repeats_its_draws_and_gives_the_global_stream_back(config_of):
    torch.manual_seed(0)
    expected = torch.rand(2).tolist()
    torch.manual_seed(0)
    draws = []
    for epoch in (1, 1, 2):
        with epoch_dropout(config_of(), epoch, CPU):
            draws.append(torch.rand(2).tolist())
    assert draws[0] == draws[1] != draws[2]
    assert torch.rand(2).tolist() == expected
