"""Spectra in files."""

import pytest
import torch

from layerscope.functional import (
    diffusion_spectrum,
    gaussian_affinity,
    spectral_entropy,
    spectral_entropy_error,
)
from layerscope.statistics import load_spectrum, save_spectrum


def points(count=80):
    return torch.randn(count, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize("settings", [{"alpha": 0.5}, {"method": "lanczos", "seed": 3, "probes": 9}])
def test_a_stored_spectrum_comes_back_bit_for_bit(tmp_path, settings):
    affinity = gaussian_affinity(points(), 1.0)
    spectrum = diffusion_spectrum(affinity, **settings)
    save_spectrum(tmp_path / "one.safetensors", spectrum, affinity, **settings)
    found = load_spectrum(tmp_path / "one.safetensors", affinity, **settings)
    assert torch.equal(found.values, spectrum.values)
    for t in (1.0, 3.0):
        assert spectral_entropy(found, t) == spectral_entropy(spectrum, t)
        assert spectral_entropy_error(found, t) == spectral_entropy_error(spectrum, t)
    assert (found.least_power, found.floor, found.exact) == (
        spectrum.least_power,
        spectrum.floor,
        spectrum.exact,
    )


def test_the_spectrum_of_something_else_is_refused_and_the_difference_named(tmp_path):
    path, affinity = tmp_path / "one.safetensors", gaussian_affinity(points(), 1.0)
    save_spectrum(path, diffusion_spectrum(affinity), affinity)
    with pytest.raises(ValueError, match=r"one.safetensors holds .* else: bandwidth 1.0, not 1.5$"):
        load_spectrum(path, gaussian_affinity(points(), 1.5))
    with pytest.raises(
        ValueError, match=r"else: alpha 0.0, not 1.0; method exact, not lanczos; quadrature none"
    ):
        load_spectrum(path, affinity, alpha=1.0, method="lanczos")
    with pytest.raises(ValueError, match=r"else: points [0-9a-f]{64}, not [0-9a-f]{64}$"):
        load_spectrum(path, gaussian_affinity(points().flip(0), 1.0))
    with pytest.raises(ValueError, match=r"else: precision float64, not float32$"):
        load_spectrum(path, gaussian_affinity(points(), 1.0, precision="float32"))


def test_a_spectrum_is_not_stored_as_that_of_something_else(tmp_path):
    affinity = gaussian_affinity(points(), 1.0)
    with pytest.raises(ValueError, match="a spectrum of 70 points is not that of 80"):
        save_spectrum(tmp_path / "x", diffusion_spectrum(gaussian_affinity(points(70), 1.0)), affinity)
    with pytest.raises(ValueError, match="found by method='lanczos', not 'exact'"):
        save_spectrum(tmp_path / "x", diffusion_spectrum(affinity, method="lanczos"), affinity)
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_missing_or_damaged_is_named(tmp_path):
    affinity = gaussian_affinity(points(), 1.0)
    with pytest.raises(FileNotFoundError, match=r"there is no spectrum .*one.safetensors"):
        load_spectrum(tmp_path / "one.safetensors", affinity)
    (tmp_path / "one.safetensors").write_bytes(b"no")
    with pytest.raises(ValueError, match=r"one.safetensors is damaged, or holds no spectrum"):
        load_spectrum(tmp_path / "one.safetensors", affinity)
