from dataclasses import replace

import numpy as np
import pytest
import torch

from layerscope.data import DATASETS
from layerscope.data import normalise as module
from layerscope.data.normalise import channel_moments, normaliser

CPU = torch.device("cpu")


def test_it_is_the_textbook_formula_per_channel():
    info = DATASETS["cifar10"]
    images = torch.randint(256, (4, 3, 5, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    mean, std = (torch.tensor(m, dtype=torch.float64).view(3, 1, 1) for m in (info.mean, info.std))
    expected = (images.double() / 255 - mean) / std
    result = normaliser(info, 255.0, CPU)(images)
    assert result.dtype == torch.float32
    torch.testing.assert_close(result.double(), expected, atol=1e-6, rtol=0)


def test_float_images_are_not_changed_in_place():
    info = replace(DATASETS["mnist"], mean=(2.0,), std=(4.0,))
    images = torch.full((1, 1, 2, 2), 10.0)
    assert normaliser(info, 1.0, CPU)(images).flatten().tolist() == [2.0] * 4
    assert images.flatten().tolist() == [10.0] * 4


def test_normalised_with_their_own_moments_images_have_mean_0_and_deviation_1():
    images = np.random.default_rng(0).integers(256, size=(50, 3, 7, 7), dtype=np.uint8)
    mean, std = channel_moments(images)
    result = normaliser(replace(DATASETS["cifar10"], mean=mean, std=std), 255.0, CPU)(
        torch.from_numpy(images)
    )
    torch.testing.assert_close(result.mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(result.std((0, 2, 3), correction=0), torch.ones(3), atol=1e-5, rtol=0)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_moments_are_numpys_whatever_the_block(monkeypatch, dtype):
    images = np.random.default_rng(1).integers(256, size=(11, 2, 3, 4)).astype(dtype)
    unit = 255 if dtype == np.uint8 else 1
    monkeypatch.setattr(module, "BLOCK", 4)
    mean, std = channel_moments(images)
    assert mean == pytest.approx((images.astype(float) / unit).mean(axis=(0, 2, 3)), rel=1e-12)
    assert std == pytest.approx((images.astype(float) / unit).std(axis=(0, 2, 3)), rel=1e-12)


def test_moments_survive_a_large_offset():
    noise = np.random.default_rng(2).standard_normal((100, 1, 4, 4))
    _, std = channel_moments(noise + 1e6)
    assert std[0] == pytest.approx(noise.std(), rel=1e-6)


def test_a_constant_channel_is_centred_and_not_scaled():
    mean, std = channel_moments(np.full((3, 1, 2, 2), 51, dtype=np.uint8))
    assert (mean, std) == (pytest.approx((0.2,)), (1.0,))
