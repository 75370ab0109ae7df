"""The settings of a spectrum are listed where it is computed, and nowhere else."""

from inspect import signature

import pytest
import torch

from layerscope.functional import gaussian_affinity, spectrum_key
from layerscope.functional.diffusion import diffusion_spectrum
from layerscope.functional.spectrum_key import SpectrumSettings

POINTS = torch.arange(12.0).reshape(6, 2)


def test_every_setting_of_a_spectrum_is_known_to_its_key():
    assert [*SpectrumSettings.__annotations__] == [*signature(diffusion_spectrum).parameters][1:]


def test_what_is_left_out_has_the_default_of_the_spectrum():
    affinity = gaussian_affinity(POINTS)
    given = {"alpha": 0.0, "method": "lanczos", "probes": 16, "steps": 40, "seed": 0}
    assert spectrum_key(affinity, method="lanczos") == spectrum_key(affinity, **given)
    for changed in ({"probes": 8}, {"steps": 3}, {"seed": 1}, {"alpha": 1.0}):
        assert spectrum_key(affinity, **(given | changed)) != spectrum_key(affinity, **given)
    with pytest.raises(TypeError, match="probs"):
        spectrum_key(affinity, probs=3)
