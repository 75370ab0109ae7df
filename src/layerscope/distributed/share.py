"""How the samples of a batch are divided over the processes of a run."""

from __future__ import annotations

from dataclasses import dataclass

from layerscope.distributed.ranks import rank, world_size


@dataclass(frozen=True)
class Share:
    """The consecutive part of every batch that one of several processes works on.

    Shares differ by one sample at most; together they are the batch, in order.
    """

    rank: int = 0
    ranks: int = 1

    def of(self, window: slice) -> slice:
        """The part of ``window``; it is empty when there are fewer samples than processes."""
        count = window.stop - window.start
        first, last = (count * part // self.ranks for part in (self.rank, self.rank + 1))
        return slice(window.start + first, window.start + last)


WHOLE = Share()
"""Everything: the share of a process that is alone."""


def own_share() -> Share:
    """The share of this process."""
    return Share(rank(), world_size())
