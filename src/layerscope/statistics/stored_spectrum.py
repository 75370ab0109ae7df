"""Spectra of diffusions in files that know what they are the spectra of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from layerscope.files import write_atomic
from layerscope.functional.affinity import Affinity
from layerscope.functional.eigenvalues import Eigenvalues
from layerscope.functional.spectrum_key import SpectrumSettings, all_that_determines

if TYPE_CHECKING:
    from typing_extensions import Unpack

OPTIONAL = ("nodes", "weights", "traces")


def save_spectrum(
    path: Path | str,
    spectrum: Eigenvalues,
    affinity: Affinity,
    **settings: Unpack[SpectrumSettings],
) -> None:
    """Write a spectrum, and all that determines it, as a safetensors file: beside, then renamed.

    Parameters
    ----------
    path : Path or str
    spectrum : Eigenvalues
        What :func:`diffusion_spectrum` gave for all that follows.
    affinity, settings
        As they were given to :func:`diffusion_spectrum`: alpha, method, probes, steps, seed.

    Raises
    ------
    ValueError
        The spectrum has another number of points, or its method is another one.
    """
    everything = all_that_determines(affinity, **settings)
    if spectrum.size != len(affinity):
        raise ValueError(f"a spectrum of {spectrum.size} points is not that of {len(affinity)}")
    if everything["method"] == "exact" and not spectrum.exact:
        raise ValueError("a spectrum by quadrature was found by method='lanczos', not 'exact'")
    arrays = {"values": spectrum.values}
    for name in OPTIONAL:
        if (found := getattr(spectrum, name)) is not None:
            arrays[name] = torch.as_tensor(found, dtype=torch.float64)
    known = {"least_power": repr(spectrum.least_power), "floor": repr(spectrum.floor)}
    stored = {name: array.cpu().contiguous() for name, array in arrays.items()}
    write_atomic(Path(path), safetensors.torch.save(stored, {**everything, **known}))


def load_spectrum(path: Path | str, affinity: Affinity, **settings: Unpack[SpectrumSettings]) -> Eigenvalues:
    """A spectrum that :func:`save_spectrum` wrote, the very same bits, if it is the one that is meant.

    Parameters
    ----------
    path : Path or str
    affinity, settings
        Of the spectrum that is wanted.

    Raises
    ------
    ValueError
        The file holds the spectrum of something else (the message names all that differs), or is none.
    FileNotFoundError
        No such file.
    """
    wanted = all_that_determines(affinity, **settings)
    stored, arrays = _read(Path(path))
    differences = [
        f"{name} {stored.get(name, 'unknown')}, not {value}"
        for name, value in wanted.items()
        if stored.get(name) != value
    ]
    if differences:
        raise ValueError(f"{path} holds the spectrum of something else: {'; '.join(differences)}")
    traces = arrays["traces"].tolist() if "traces" in arrays else None
    found = {name: array.to(affinity.points.device) for name, array in arrays.items()}
    return Eigenvalues(
        len(affinity),
        found["values"],
        found.get("nodes"),
        found.get("weights"),
        traces=None if traces is None else (traces[0], traces[1]),
        least_power=float(stored["least_power"]),
        floor=float(stored["floor"]),
    )


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Metadata and arrays of a file."""
    if not path.exists():
        raise FileNotFoundError(f"there is no spectrum {path}")
    try:
        with safe_open(path, framework="pt") as file:
            return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged, or holds no spectrum: {error}") from error
