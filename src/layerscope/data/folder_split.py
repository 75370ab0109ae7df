"""A split whose images stay on disk: worker processes read them, the device does the rest."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from layerscope.data.augment import Shifts, draw_seeds
from layerscope.data.catalog import Augmentation, DatasetInfo
from layerscope.data.decode import Decoder
from layerscope.data.normalise import Normalise, normaliser
from layerscope.data.samples import Samples
from layerscope.data.split import windows
from layerscope.data.views import DrawnViews, Views, draw
from layerscope.distributed.share import WHOLE, Share
from layerscope.errors import DataError

#: ImageNet is evaluated on the centre 224 of 256; other sets keep all of the shorter side.
_SHORTER_SIDE = {"imagenet": 256 / 224, "imagenet_lt": 256 / 224}


@dataclass(frozen=True)
class FolderSplit:
    """Images in files: paths as bytes of shape (N,). The same batches come out for any number of workers."""

    name: str
    paths: npt.NDArray[np.bytes_]
    labels: Tensor
    num_classes: int
    shape: tuple[int, int, int]
    decoder: Decoder
    normalise: Normalise
    augmentation: Augmentation | Views
    num_workers: int

    def __len__(self) -> int:
        return len(self.labels)

    def batches(
        self,
        batch_size: int,
        *,
        order: Tensor | None = None,
        augment: torch.Generator | None = None,
        skip: int = 0,
        share: Share = WHOLE,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield batches (see :class:`layerscope.data.split.Split`); no other image is read.

        Raises
        ------
        DataError
            An image cannot be read; the message names it.
        """
        device = self.labels.device
        places = torch.arange(len(self)) if order is None else order.cpu()
        labels = self.labels[places.to(device)]
        seeds, shifts = self._draws(len(places), augment)
        chosen = list(windows(len(places), batch_size, skip, share))
        requests = _Requests(self.paths[places.numpy()], seeds, chosen, self.shape, self.decoder)
        for window, images in zip(chosen, _loaded(requests, self.num_workers, device), strict=False):
            moved = images.to(device, non_blocking=True)
            framed = moved if shifts is None else shifts.apply(moved, window)
            yield self.normalise(framed), labels[window]

    def _draws(
        self, count: int, augment: torch.Generator | None
    ) -> tuple[Tensor | None, Shifts | DrawnViews | None]:
        if augment is None:
            return None, None
        if self.augmentation == "resized_crop_flip":
            return draw_seeds(count, augment), None
        return None, draw(self.augmentation, count, self.shape[0], augment, self.labels.device)


@dataclass(frozen=True)
class _Requests(Dataset[Any]):
    """The batches of one pass, read one at a time: item i is batch i."""

    paths: npt.NDArray[np.bytes_]
    seeds: Tensor | None
    windows: Sequence[slice]
    shape: tuple[int, int, int]
    decoder: Decoder

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, number: int) -> Tensor | DataError:
        """Return uint8 images (B, 3, H, W), or the error: raised in a worker it would lose its clear text."""
        window = self.windows[number]
        paths = self.paths[window]
        seeds = [None] * len(paths) if self.seeds is None else self.seeds[window].tolist()
        try:
            images = [self.decoder(path, seed) for path, seed in zip(paths, seeds, strict=True)]
            return torch.stack(images) if images else torch.empty(0, *self.shape, dtype=torch.uint8)
        except DataError as error:
            return error


def folder_split(
    name: str, samples: Samples, info: DatasetInfo, device: torch.device, num_workers: int
) -> FolderSplit:
    """Prepare a split of image files; nothing is read yet."""
    shorter_side = round(info.height * _SHORTER_SIDE.get(info.name, 1.0))
    return FolderSplit(
        name=name,
        paths=samples.images,
        labels=torch.from_numpy(samples.labels).to(device),
        num_classes=info.classes,
        shape=info.shape,
        decoder=Decoder(info.height, shorter_side, info.pad),
        normalise=normaliser(info, 255.0, device),
        augmentation=info.augmentation,
        num_workers=num_workers,
    )


def _loaded(requests: _Requests, num_workers: int, device: torch.device) -> Iterator[Tensor]:
    loader: DataLoader[Any] = DataLoader(
        requests,
        batch_size=None,
        num_workers=min(num_workers, len(requests), _cores()),
        collate_fn=_as_is,
        pin_memory=device.type == "cuda",
        worker_init_fn=ignore_job_signals,
        # Its own generator: the loader would otherwise draw from the global one, which dropout uses.
        generator=torch.Generator(),
    )
    for images in loader:
        if isinstance(images, DataError):
            raise images
        yield images


def ignore_job_signals(worker: int) -> None:
    """Leave the signals of Slurm to the main process, whose handlers a forked worker would otherwise run too.

    A worker that died of SIGTERM would also end the pass before the main process has saved; orphans end
    by themselves, for workers watch their parent. See :func:`end_workers` for the other end of that bargain.
    """
    for number in (signal.SIGUSR2, signal.SIGTERM, signal.SIGCONT):
        signal.signal(number, signal.SIG_IGN)


@atexit.register
def end_workers() -> None:
    """Kill workers that are left when the process ends: being told to terminate, they would not listen."""
    for child in multiprocessing.active_children():
        if child.daemon:
            child.kill()


def _cores() -> int:
    """How many cores this job may use, which on a cluster are fewer than the node has."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _as_is(item: Any) -> Any:
    return item
