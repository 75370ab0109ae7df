"""What the processes of a run tell each other. A process that is alone gets its own answer, without torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from layerscope.distributed.ranks import rank, world_size

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")
M = TypeVar("M", bound="Mergeable")


class Mergeable(Protocol):
    """An accumulator that can take in what another one saw."""

    def merge(self, other: Any) -> Any:
        """Add what ``other`` saw."""


def shared(answer: Callable[[], T]) -> T:
    """The answer that rank 0 finds, for everybody; only rank 0 calls ``answer``."""
    if world_size() == 1:
        return answer()
    from layerscope.distributed.channel import channel

    found: T = channel().broadcast(answer() if rank() == 0 else None, 0)
    return found


@contextmanager
def in_turn() -> Iterator[None]:
    """Let rank 0 do the block first, and the others when it is done."""
    if rank() == 0:
        yield
    shared(lambda: None)
    if rank() != 0:
        yield


def gathered(value: T) -> list[T]:
    """The values of all processes, by rank."""
    if world_size() == 1:
        return [value]
    from layerscope.distributed.channel import channel

    return channel().gather(value)


def summed(values: Tensor) -> Tensor:
    """The sum over the processes of a tensor on the CPU, which is left as it is."""
    if world_size() == 1:
        return values
    import torch.distributed as dist

    from layerscope.distributed.channel import channel

    total = values.clone()
    dist.all_reduce(total, group=channel().group)
    return total


def anybody(wish: bool) -> bool:
    """Whether any process says yes; each waits for all of them."""
    return any(gathered(wish))


def merged(own: M) -> M:
    """What the accumulators of all processes saw together, the same bits for everybody.

    Pairs of processes merge in turn (0+1, 2+3, then 0+2, …), so that memory holds two accumulators at a time.
    """
    if world_size() == 1:
        return own
    from layerscope.distributed.channel import channel

    step = 1
    while step < world_size() and not rank() % step:
        if rank() % (2 * step):
            channel().send(own, rank() - step)
            break
        if rank() + step < world_size():
            own.merge(channel().receive(rank() + step))
        step *= 2
    return shared(lambda: own)
