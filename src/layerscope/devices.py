"""Which device a name means on this machine."""

from __future__ import annotations

import socket

import torch

from layerscope.errors import UsageError


def device_of(name: str) -> torch.device:
    """The device that ``auto``, ``cpu``, ``cuda``, ``cuda:1``, … means on this machine.

    Raises
    ------
    UsageError
        A GPU was asked for and there is none.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"--device {name!r} is not a device; use auto, cpu, cuda or cuda:N") from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise UsageError(f"--device {name}: {socket.gethostname()} has {count} usable GPUs")
    return device
