"""The places where local workers run: GPUs, each one or several times, or cores."""

from __future__ import annotations

import os
import socket
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice

from layerscope.errors import UsageError

MASK = "CUDA_VISIBLE_DEVICES"


@dataclass
class Slots:
    """Places for workers; each holds one at a time.

    Parameters
    ----------
    gpus : sequence of str
        As ``CUDA_VISIBLE_DEVICES`` names them; none: workers get no GPU.
    count : int
        They are spread evenly over the GPUs.
    """

    gpus: Sequence[str]
    count: int

    def __post_init__(self) -> None:
        self._free = Counter(islice(cycle(self.gpus or [""]), self.count))

    @property
    def full(self) -> bool:
        """Whether every place is taken."""
        return not any(self._free.values())

    def take(self, gpus: int) -> tuple[str, ...] | None:
        """Places on so many different GPUs (one place, if there are none); None while they are not free."""
        wanted = max(1, gpus) if self.gpus else 1
        free = [name for name, places in self._free.most_common() if places]
        if len(free) < wanted:
            return None
        taken = tuple(sorted(free[:wanted], key=list(self._free).index))
        self._free.subtract(taken)
        return taken

    def give_back(self, taken: Sequence[str]) -> None:
        """Free places."""
        self._free.update(taken)


def visible_gpus(device: str) -> list[str]:
    """The GPUs that ``device`` means on this machine, within an outer mask; asks no torch.

    Raises
    ------
    UsageError
        A GPU was asked for, and it is not there.
    """
    if device == "cpu":
        return []
    mask = os.environ.get(MASK)
    gpus = _installed() if mask is None else _masked(mask)
    if device == "auto":
        return gpus
    number = device.partition(":")[2]
    chosen = gpus[int(number) : int(number) + 1] if number.isdecimal() else gpus
    if not chosen:
        raise UsageError(f"--device {device}: {socket.gethostname()} has {len(gpus)} usable GPUs")
    return chosen


def cores() -> int:
    """How many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _masked(mask: str) -> list[str]:
    """The GPUs of a mask; as for CUDA, nothing after one that cannot be counts."""
    names = [name.strip() for name in mask.split(",")]
    bad = next((place for place, name in enumerate(names) if name in ("", "-1")), len(names))
    return names[:bad]


def _installed() -> list[str]:
    try:
        answer = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [str(number) for number, _ in enumerate(_gpu_lines(answer.stdout))]


def _gpu_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("GPU ")]
