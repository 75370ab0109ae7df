"""Acting alike at the same step, without making any step wait."""

from __future__ import annotations

from typing import Any

from layerscope.distributed.ranks import world_size


class Agreement:
    """Finds the strongest wish of all processes; they learn of it one question later.

    The exchange goes on while the step is computed. All processes must ask equally often.
    """

    def __init__(self) -> None:
        self._underway: Any = None
        self._wish: Any = None

    def ask(self, wish: int) -> int:
        """Name this process' wish; returns the greatest wish at the question before (0 at the first).

        A process that is alone gets its own wish back at once.
        """
        if world_size() == 1:
            return wish
        answer = self.settle()
        self._start(wish)
        return answer

    def settle(self) -> int:
        """Wait for the exchange that is under way; returns its answer."""
        if self._underway is None:
            return 0
        self._underway.wait()
        self._underway = None
        return int(self._wish)

    def _start(self, wish: int) -> None:
        import torch
        import torch.distributed as dist

        from layerscope.distributed.channel import channel

        self._wish = torch.tensor(wish)
        group = channel().group
        self._underway = dist.all_reduce(self._wish, op=dist.ReduceOp.MAX, group=group, async_op=True)
