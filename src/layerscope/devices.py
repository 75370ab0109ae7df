"""Which device a name means on this machine."""

from __future__ import annotations

import socket
import subprocess

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


def gpu_facts(device: torch.device) -> dict[str, str]:
    """Name of a GPU, and the versions of its driver, of CUDA and of cuDNN; empty for a CPU."""
    if device.type != "cuda":
        return {}
    return {
        "name": torch.cuda.get_device_name(device),
        "driver": _driver_version(),
        "cuda": str(torch.version.cuda),
        "cudnn": str(torch.backends.cudnn.version()),  # type: ignore[no-untyped-call]
    }


def _driver_version() -> str:
    """What nvidia-smi says; "" when it does not answer."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.partition("\n")[0].strip() if answer.returncode == 0 else ""
