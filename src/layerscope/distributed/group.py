"""Joining the processes of a run, and leaving together when one of them fails."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch.distributed import distributed_c10d
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

from layerscope.devices import device_of
from layerscope.distributed.channel import Channel, opened
from layerscope.distributed.ranks import Ranks, entered, ranks_of
from layerscope.errors import LayerscopeError, UsageError

TIMEOUT = 900.0
"""Seconds that a process waits for the others: longer than a checkpoint takes to be written."""


class LostProcess(LayerscopeError):
    """Another process of the same run failed, died, or does not answer."""


@contextmanager
def process_group(device: str = "auto", *, timeout: float = TIMEOUT) -> Iterator[str]:
    """Join the other processes of this run, if the environment names any (torchrun's variables).

    Yields the device of this process: the one that was asked for, or its own one of several GPUs. While
    entered, training and measuring divide every batch over the processes, and rank 0 alone writes files.

    Parameters
    ----------
    device
        ``auto``, ``cpu``, ``cuda``, or, for a process that is alone, ``cuda:1``.
    timeout
        Seconds to wait for another process before it counts as lost.

    Raises
    ------
    LostProcess
        Another process failed (the message gives its reason), died, or did not answer in time.
    UsageError
        The environment contradicts itself, or there is no GPU for this process.
    """
    ranks = ranks_of()
    if ranks.size == 1:
        yield device
        return
    place, limit = own_device(device, ranks), timedelta(seconds=timeout)
    store, words = _meet(place, ranks, limit)
    failed = PrefixStore("failed", store)
    with _leaving(), entered(ranks), opened(Channel(words, place)), _explained(failed, ranks, timeout):
        yield str(place)
        dist.barrier(group=words)  # rank 0 keeps the store, which the others need to the end


def own_device(name: str, ranks: Ranks) -> torch.device:
    """The device of one of several processes: GPU number LOCAL_RANK, or the only one that it can see."""
    device = device_of(name)
    if device.type != "cuda":
        return device
    if ":" in name:
        raise UsageError(f"--device {name} is one GPU, but {ranks.size} processes share the run; use cuda.")
    count = torch.cuda.device_count()
    if 1 < count <= ranks.local:
        raise UsageError(f"process {ranks.local} of this node has no GPU of its own: there are {count}.")
    return torch.device("cuda", ranks.local % count)


def _meet(place: torch.device, ranks: Ranks, limit: timedelta) -> tuple[Store, Any]:
    """Join; return the store that rank 0 keeps for all, and the group by which hosts talk, GPUs or not."""
    backend = "nccl" if place.type == "cuda" else "gloo"
    if backend == "nccl":
        torch.cuda.set_device(place)
    try:
        store, _, _ = next(rendezvous("env://", timeout=limit))
        dist.init_process_group(backend, store=store, rank=ranks.rank, world_size=ranks.size, timeout=limit)
        return store, dist.new_group(backend="gloo", timeout=limit)
    except RuntimeError as error:
        where = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        raise LostProcess(
            f"the {ranks.size} processes of this run could not meet at {where}: {error}"
        ) from error


@contextmanager
def _leaving() -> Iterator[None]:
    """Leave the others, whatever happens."""
    try:
        yield
    except BaseException:
        if dist.get_backend() == "nccl":  # a kernel that waits for a lost process would never let this end
            distributed_c10d._abort_process_group()
        raise
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


@contextmanager
def _explained(failed: Store, ranks: Ranks, timeout: float) -> Iterator[None]:
    """Turn a broken connection into :class:`LostProcess`; tell the others of any other error."""
    try:
        yield
    except Exception as error:
        if _is_lost_connection(error):
            raise LostProcess(_reason(failed, ranks, timeout)) from error
        with contextlib.suppress(RuntimeError):  # nobody is left to be told
            failed.set(str(ranks.rank), _told(error))
        raise


def _is_lost_connection(error: Exception) -> bool:
    if isinstance(error, dist.DistError):
        return True
    return isinstance(error, RuntimeError) and any(name in str(error) for name in ("gloo", "NCCL"))


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, LayerscopeError) else f"{type(error).__name__}: {error}"


def _reason(failed: Store, ranks: Ranks, timeout: float) -> str:
    if ranks.rank == 0:  # who speaks for the run, and keeps the store: the others' is gone if rank 0 is
        for other in range(1, ranks.size):
            if failed.check([str(other)]):
                return f"process {other} of this run has failed: {failed.get(str(other)).decode()}"
    return (
        f"another of the {ranks.size} processes of this run has ended, or did not answer for {timeout:g} s "
        "(killed? out of memory? its node lost?). Its own output may say more; run the same command again "
        "to go on from the newest resume point."
    )
