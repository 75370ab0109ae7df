from __future__ import annotations

import pytest

from layerscope.distributed.exchange import anybody, gathered, in_turn, merged, shared
from layerscope.distributed.ranks import ALONE, Ranks, entered, rank, ranks_of, world_size
from layerscope.distributed.share import WHOLE, Share, own_share
from layerscope.errors import UsageError

TORCHRUN = {
    "RANK": "3",
    "WORLD_SIZE": "4",
    "LOCAL_RANK": "1",
    "MASTER_ADDR": "node7",
    "MASTER_PORT": "29500",
}


def test_torchrun_says_who_a_process_is():
    assert ranks_of(TORCHRUN) == Ranks(rank=3, size=4, local=1)


@pytest.mark.parametrize("environment", [{}, TORCHRUN | {"WORLD_SIZE": "1"}, {"RANK": "0"}])
def test_a_process_without_others_is_alone(environment):
    assert ranks_of(environment) == ALONE


@pytest.mark.parametrize("name", ["RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"])
def test_a_missing_variable_is_named(name):
    with pytest.raises(UsageError, match=f"WORLD_SIZE is 4, but {name} is not set"):
        ranks_of({key: value for key, value in TORCHRUN.items() if key != name})


@pytest.mark.parametrize(
    ("change", "message"),
    [({"RANK": "4"}, "RANK is 4, which is not below WORLD_SIZE, 4"), ({"LOCAL_RANK": "x"}, "not a number")],
)
def test_contradictions_are_refused(change, message):
    with pytest.raises(UsageError, match=message):
        ranks_of(TORCHRUN | change)


def test_who_a_process_is_ends_with_the_block():
    with entered(Ranks(1, 2, 1)):
        assert (rank(), world_size(), own_share()) == (1, 2, Share(1, 2))
    assert (rank(), world_size(), own_share()) == (0, 1, WHOLE)


def test_a_process_that_is_alone_talks_to_itself():
    accumulator = object()
    assert shared(lambda: 5) == 5
    assert gathered("a") == ["a"]
    assert anybody(True)
    assert not anybody(False)
    assert merged(accumulator) is accumulator
    with in_turn():
        pass


@pytest.mark.parametrize("ranks", [1, 2, 3, 8])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 64])
def test_shares_are_the_batch_in_order_and_differ_by_one_at_most(ranks, count):
    window = slice(10, 10 + count)
    shares = [Share(rank, ranks).of(window) for rank in range(ranks)]
    assert [place for share in shares for place in range(share.start, share.stop)] == list(
        range(10, 10 + count)
    )
    sizes = [share.stop - share.start for share in shares]
    assert max(sizes) - min(sizes) <= 1
