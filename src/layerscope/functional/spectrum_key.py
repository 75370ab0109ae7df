"""A name for a spectrum that is made of everything that determines it."""

from __future__ import annotations

import hashlib
import json
from inspect import signature
from typing import TYPE_CHECKING, TypedDict

from layerscope.functional.affinity import Affinity
from layerscope.functional.diffusion import Method, diffusion_spectrum, method_for

if TYPE_CHECKING:
    from typing_extensions import Unpack

VERSION = 2  # raise it when the same input gives other eigenvalues


class SpectrumSettings(TypedDict, total=False):
    """The types of the settings of :func:`diffusion_spectrum`, which has their defaults."""

    alpha: float
    method: Method | None
    probes: int
    steps: int
    seed: int


def spectrum_key(affinity: Affinity, **settings: Unpack[SpectrumSettings]) -> str:
    """Digest (64 hexadecimal digits) under which the result of :func:`diffusion_spectrum` can be stored.

    It covers the points themselves, the bandwidth as a number, the precision and every argument that changes
    the eigenvalues; those of the quadrature change no exact spectrum. The power t is not part of it:
    one spectrum serves every t.

    Parameters
    ----------
    affinity, settings
        As for :func:`diffusion_spectrum`: alpha, method, probes, steps, seed.
    """
    everything = all_that_determines(affinity, **settings)
    return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()


def all_that_determines(affinity: Affinity, **settings: Unpack[SpectrumSettings]) -> dict[str, str]:
    """What :func:`spectrum_key` is the digest of, each under its name; the points by a digest of their own.

    Numbers are written so that equal texts mean equal bits.
    """
    call = signature(diffusion_spectrum).bind(affinity, **settings)
    call.apply_defaults()
    given = call.arguments
    method = method_for(len(affinity), given["method"])
    quadrature = f"{given['probes']} probes, {given['steps']} steps, seed {given['seed']}"
    points = affinity.points.cpu().contiguous().numpy().tobytes()
    return {
        "version": str(VERSION),
        "shape": " x ".join(map(str, affinity.points.shape)),
        "points": hashlib.sha256(points).hexdigest(),
        "bandwidth": repr(affinity.bandwidth),
        "precision": str(affinity.dtype).removeprefix("torch."),
        "alpha": repr(float(given["alpha"])),
        "method": method,
        "quadrature": "none" if method == "exact" else quadrature,
    }
