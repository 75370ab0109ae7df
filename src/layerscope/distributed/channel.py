"""The way by which the processes of a run talk to each other: words between hosts, never features."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch.serialization import default_restore_location


@dataclass(frozen=True)
class Channel:
    """What talking needs.

    Attributes
    ----------
    group
        Of gloo, so that tensors on the CPU can be exchanged whatever the device.
    device
        Of this process: where tensors on another's GPU arrive.
    """

    group: Any
    device: torch.device

    def broadcast(self, value: Any, source: int) -> Any:
        """What process ``source`` has as ``value``."""
        box: list[Any] = [_packed(value) if dist.get_rank() == source else None]
        dist.broadcast_object_list(box, src=source, group=self.group)
        return self._unpacked(box[0])

    def send(self, value: Any, target: int) -> None:
        """Hand ``value`` to process ``target``, which has to :meth:`receive` it."""
        dist.send_object_list([_packed(value)], dst=target, group=self.group)

    def receive(self, source: int) -> Any:
        """What process ``source`` sends."""
        box: list[Any] = [None]
        dist.recv_object_list(box, src=source, group=self.group)
        return self._unpacked(box[0])

    def gather(self, value: Any) -> list[Any]:
        """What every process has as ``value``, by rank."""
        boxes: list[Any] = [None] * dist.get_world_size()
        dist.all_gather_object(boxes, _packed(value), group=self.group)
        return [self._unpacked(box) for box in boxes]

    def _unpacked(self, content: bytes) -> Any:
        # What comes from a process of the same run is as trustworthy as this one.
        return torch.load(io.BytesIO(content), map_location=self._place, weights_only=False)

    def _place(self, storage: Any, location: str) -> Any:
        """Another process' GPU becomes this one's; what is on the CPU stays there."""
        where = location if location == "cpu" else str(self.device)
        return default_restore_location(storage, where)  # type: ignore[no-untyped-call]


_open: list[Channel] = []


def channel() -> Channel:
    """The open channel; there is one whenever the process is not alone."""
    return _open[-1]


@contextmanager
def opened(new: Channel) -> Iterator[None]:
    """Talk by ``new``, until the block ends."""
    _open.append(new)
    try:
        yield
    finally:
        _open.pop()


def _packed(value: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream)
    return stream.getvalue()
