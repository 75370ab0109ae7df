"""A name for a spectrum that is made of everything that determines it."""

from __future__ import annotations

import hashlib
import json

from layerscope.functional.affinity import Affinity
from layerscope.functional.diffusion import PROBES, STEPS, Method, method_for

VERSION = 2  # raise it when the same input gives other eigenvalues


def spectrum_key(
    affinity: Affinity,
    *,
    alpha: float = 0.0,
    method: Method | None = None,
    probes: int = PROBES,
    steps: int = STEPS,
    seed: int = 0,
) -> str:
    """Digest (64 hexadecimal digits) under which the result of :func:`diffusion_spectrum` can be stored.

    It covers the points themselves, the bandwidth as a number, the precision and every argument that changes
    the eigenvalues; those of the quadrature change no exact spectrum. The power t is not part of it:
    one spectrum serves every t.

    Parameters
    ----------
    affinity, alpha, method, probes, steps, seed
        As for :func:`diffusion_spectrum`.
    """
    method = method_for(len(affinity), method)
    settings = {
        "version": VERSION,
        "shape": list(affinity.points.shape),
        "bandwidth": affinity.bandwidth.hex(),
        "precision": str(affinity.dtype),
        "alpha": float(alpha).hex(),
        "method": method,
        "quadrature": None if method == "exact" else [probes, steps, seed],
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    digest.update(affinity.points.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
