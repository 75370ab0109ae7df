"""The random streams of one epoch, derived from the config alone: a resumed epoch draws the same again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from layerscope.config import Config
from layerscope.distributed.exchange import gathered
from layerscope.distributed.ranks import rank


def epoch_order(config: Config, epoch: int, samples: int) -> Tensor:
    """Return the order of the training samples, int64 on the CPU so that every device sees the same one.

    A last batch of one sample is left out (BatchNorm cannot train on it), unless it is the only batch.
    """
    generator = torch.Generator().manual_seed(config.run.seed_for(f"order/{epoch}"))
    order = torch.randperm(samples, generator=generator)
    return order[:-1] if _ends_in_lone_sample(config, samples) else order


def epoch_steps(config: Config, samples: int) -> int:
    """Return how many batches :func:`epoch_order` makes."""
    return -(-samples // config.data.batch_size) - _ends_in_lone_sample(config, samples)


def _ends_in_lone_sample(config: Config, samples: int) -> bool:
    size = config.data.batch_size
    return samples > size > 1 and samples % size == 1


def epoch_augmentation(config: Config, epoch: int) -> torch.Generator | None:
    """Return the generator for augmentation (on the CPU), or None when the config wants none."""
    if not config.data.do_augmentation:
        return None
    return torch.Generator().manual_seed(config.run.seed_for(f"augment/{epoch}"))


@contextlib.contextmanager
def epoch_dropout(
    config: Config, epoch: int, device: torch.device, states: Mapping[int, Mapping[str, Tensor]] | None = None
) -> Iterator[None]:
    """Seed the layers that draw from torch's global stream, and give that stream back untouched.

    Every process of a run draws from a stream of its own, so results with dropout depend on how many there
    are. A process that finds its rank in ``states`` goes on from there.
    """
    part = f"/process-{rank()}" if rank() else ""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(config.run.seed_for(f"dropout/{epoch}{part}"))
        for kind, state in (states or {}).get(rank(), {}).items():
            _set_state(kind, state, device)
        yield


def dropout_states(device: torch.device) -> dict[int, dict[str, Tensor]]:
    """Rank → where its global streams stand: that of the CPU, and that of ``device`` if it is a GPU."""
    own = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        own["cuda"] = torch.cuda.get_rng_state(device)
    return dict(enumerate(gathered(own)))


def _set_state(kind: str, state: Tensor, device: torch.device) -> None:
    if kind == "cpu":
        torch.set_rng_state(state)
    elif device.type == "cuda":  # what was begun on a GPU may go on without one, with other draws
        torch.cuda.set_rng_state(state, device)
