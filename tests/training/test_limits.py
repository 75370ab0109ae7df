from __future__ import annotations

import pytest
import torch
from torch import nn

from layerscope.errors import ModelError
from layerscope.training.limits import explained_limits


def test_a_full_device_says_which_settings_to_change(config_of):
    with (
        pytest.raises(ModelError, match=r"mlp_small with Data\.batch-size 64 does not fit"),
        explained_limits(config_of()),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory")


def test_batchnorm_on_one_sample_is_explained(config_of):
    with pytest.raises(ModelError, match=r"Set Data\.batch-size to 2 or more"), explained_limits(config_of()):
        nn.BatchNorm1d(3)(torch.rand(1, 3))


def test_other_errors_pass_unchanged(config_of):
    with pytest.raises(ValueError, match=r"^something else$"), explained_limits(config_of()):
        raise ValueError("something else")
