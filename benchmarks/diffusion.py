"""Diffusion entropies against the ``dse-dsmi`` package on the same features, in the same run.

That package is not part of ours: its licence allows non-commercial use only. ``pip install -e '.[bench]'``
installs it; without it these rows are left out.
"""

from __future__ import annotations

import sys
import warnings
from types import ModuleType

import numpy as np
import torch
from pairs import Comparison, in_turn
from torch import Tensor

from layerscope.functional import (
    diffusion_spectral_mutual_information,
    diffusion_spectrum,
    gaussian_affinity,
    spectral_entropy,
    spectral_entropy_error,
)

SIGMA = 10.0  # the default of dse-dsmi
DIM, CLASSES = 512, 10
Estimate = tuple[float, float]  # bits, standard error


def run() -> list[Comparison]:
    """Compare DSE of 4,000 and of 10,000 points, and DSMI with labels."""
    peer = _peer()
    if peer is None:
        sys.stderr.write("left out what needs dse-dsmi (non-commercial licence): pip install -e '.[bench]'\n")
        return []
    return [*_entropy(peer, 4000, 3, exact=True), *_entropy(peer, 10_000, 1, exact=False), _information(peer)]


def _peer() -> ModuleType | None:
    with warnings.catch_warnings():  # importing it silences every warning of the process
        try:
            import dse_dsmi
        except ImportError:
            return None
    return dse_dsmi


def features(count: int) -> tuple[Tensor, Tensor]:
    """Points of 10 classes with 20 strong common directions, and their labels."""
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    labels = torch.arange(count) % CLASSES
    common = normal(count, 20) @ normal(20, DIM)
    return 0.3 * normal(CLASSES, DIM)[labels] + 0.3 * common + 0.1 * normal(count, DIM), labels


def _entropy(peer: ModuleType, count: int, rounds: int, *, exact: bool) -> list[Comparison]:
    points, _ = features(count)
    array = points.double().numpy()
    found: dict[str, Estimate] = {}

    def reference() -> None:
        found["dse-dsmi"] = peer.diffusion_spectral_entropy(array, gaussian_kernel_sigma=SIGMA), 0.0

    ours = {
        "float64": lambda: found.update(float64=_dse(points, "float64", "exact")),
        "float32": lambda: found.update(float32=_dse(points, "float32", "exact")),
        "quadrature": lambda: found.update(quadrature=_dse(points, "float32", "lanczos")),
    }
    bounds = {"float64": 1.0, "float32": 1 / 3, "quadrature": 1 / 20}
    if not exact:
        ours = {"quadrature": ours["quadrature"]}
    times = in_turn({"dse-dsmi": reference, **ours}, rounds=rounds, warm_up=exact)
    truth = found["dse-dsmi"][0]
    return [
        Comparison(
            f"DSE, n = {count:,}, D = {DIM}, {kind} ({_off(found[kind], truth)}) / `dse-dsmi`",
            times[kind],
            times["dse-dsmi"],
            bounds[kind],
        )
        for kind in ours
    ]


def _dse(points: Tensor, precision: str, method: str) -> Estimate:
    spectrum = diffusion_spectrum(gaussian_affinity(points, SIGMA, precision=precision), method=method)
    return spectral_entropy(spectrum, units="bits"), spectral_entropy_error(spectrum, units="bits")


def _off(estimate: Estimate, truth: float) -> str:
    value, error = estimate
    if error:
        return f"off by {abs(value / truth - 1):.3%}, standard error {error / truth:.3%}"
    return f"off by {abs(value - truth):.0e} bits"


def _information(peer: ModuleType) -> Comparison:
    points, labels = features(4000)
    array, classes = points.double().numpy(), labels.numpy().astype(np.int64)

    def reference() -> None:
        peer.diffusion_spectral_mutual_information(
            array, classes, reference_discrete=True, gaussian_kernel_sigma=SIGMA
        )

    def ours() -> None:
        diffusion_spectral_mutual_information(
            points, labels, bandwidth=SIGMA, variant="matched", precision="float32", units="bits"
        )

    times = in_turn({"ours": ours, "dse-dsmi": reference}, rounds=3)
    name = "DSMI with labels (`matched`), n = 4,000, 10 classes / `dse-dsmi`"
    return Comparison(name, times["ours"], times["dse-dsmi"], 1 / 3)
