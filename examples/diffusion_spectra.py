"""Diffusion spectral entropy of the digits for several powers, from one spectrum that is stored.

    python examples/diffusion_spectra.py

Nothing is downloaded. The file knows what it is the spectrum of, so that it cannot be taken for another one.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from sklearn.datasets import load_digits

import layerscope as ls
from layerscope.functional.eigenvalues import Eigenvalues

POWERS = (0.5, 1.0, 2.0, 4.0)


def main(arguments: Sequence[str] | None = None) -> dict[float, float]:
    """Print one line per power, in nats."""
    parser = argparse.ArgumentParser(description="diffusion spectral entropy of the digits")
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--file", type=Path, default=Path("digits_spectrum.safetensors"))
    chosen = parser.parse_args(arguments)
    images = torch.tensor(load_digits().data[: chosen.samples]) / 16
    spectrum = spectrum_of(images, chosen.file)
    found = {t: ls.functional.spectral_entropy(spectrum, t) for t in POWERS}
    for t, entropy in found.items():
        print(f"t = {t:g}: {entropy:.3f} nats")
    return found


def spectrum_of(points: torch.Tensor, file: Path) -> Eigenvalues:
    """From the file where it is there, else computed and stored."""
    affinity = ls.functional.gaussian_affinity(points, "knn:10")
    if not file.exists():
        ls.statistics.save_spectrum(file, ls.functional.diffusion_spectrum(affinity), affinity)
    return ls.statistics.load_spectrum(file, affinity)


if __name__ == "__main__":
    main()
