"""Views for contrastive learning, against the steps one by one."""

from __future__ import annotations

import colorsys
import math

import pytest
import torch

from layerscope.config import DataConfig, RunConfig
from layerscope.data.load import load_data
from layerscope.data.views import DrawnViews, Views, grey, with_views

CPU = torch.device("cpu")
IMAGES = torch.randint(0, 256, (6, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(5))
LUMA = torch.tensor([0.299, 0.587, 0.114])


def drawn(count=6, channels=3, seed=0, **changes):
    kind = Views(**{"area": 0.2, "mirrored": True, "white": 255.0, **changes})
    return kind.draw(count, channels, torch.Generator().manual_seed(seed), CPU)


def plain(count=6, channels=3):
    """Views that change nothing."""
    grids = torch.tensor([[1.0, 0, 0], [0, 1, 0]]).expand(count, 2, 3)
    return DrawnViews(grids, torch.ones(count, 2), torch.eye(channels).expand(count, -1, -1), 255.0)


def test_without_any_change_a_view_is_the_image():
    torch.testing.assert_close(plain().apply(IMAGES, slice(0, 6)), IMAGES.float(), rtol=0, atol=1e-3)


def test_a_view_shows_a_box_inside_the_image_with_the_area_that_was_asked_for():
    grids = drawn(20_000).grids
    width, height = grids[:, 0, 0].abs(), grids[:, 1, 1]
    assert (width + grids[:, 0, 2].abs()).max() <= 1 + 1e-6
    assert (height + grids[:, 1, 2].abs()).max() <= 1 + 1e-6
    uncut = (width < 1) & (height < 1)
    assert (width * height)[uncut].min() >= 0.2 - 1e-6
    ratios = (width / height)[uncut].log()
    assert ratios.abs().max() <= math.log(4 / 3) + 1e-6
    assert (grids[:, 0, 0] < 0).float().mean() == pytest.approx(0.5, abs=0.02)


def test_symbols_are_never_mirrored():
    assert (drawn(500, mirrored=False).grids[:, 0, 0] > 0).all()


def test_half_of_the_width_and_height_shows_a_quarter_of_the_image():
    views = plain()
    corner = torch.tensor([[0.5, 0, -0.5], [0, 0.5, -0.5]]).expand(6, 2, 3)
    views = DrawnViews(corner, views.gain, views.matrix, views.white)
    ramp = torch.arange(8.0).expand(6, 3, 8, 8)
    row = views.apply(ramp, slice(0, 6))[0, 0, 0]
    expected = (0.5 * torch.arange(8) - 0.25).clamp(min=0)  # pixel centres, the border repeated
    torch.testing.assert_close(row, expected)


def test_colours_are_jittered_as_step_by_step():
    views = drawn(6)
    flat = DrawnViews(plain().grids, views.gain, views.matrix, None)
    expected = []
    for image, (brightness, contrast), matrix in zip(IMAGES.float(), views.gain, views.matrix, strict=True):
        bright = image * brightness
        mean = torch.einsum("c,chw->hw", LUMA, bright).mean()
        stretched = contrast * bright + (1 - contrast) * mean
        expected.append(torch.einsum("ij,jhw->ihw", matrix, stretched))
    torch.testing.assert_close(flat.apply(IMAGES, slice(0, 6)), torch.stack(expected), rtol=1e-4, atol=1e-2)


def test_hue_and_saturation_keep_the_brightness_and_leave_grey_alone():
    matrix = drawn(2000).matrix
    torch.testing.assert_close(matrix.sum(dim=2), torch.ones(2000, 3), rtol=0, atol=1e-5)
    torch.testing.assert_close(LUMA @ matrix, LUMA.expand(2000, 3), rtol=0, atol=1e-5)


def test_the_hue_turns_by_a_tenth_of_the_circle_at_most():
    base = torch.tensor([0.6, 0.5, 0.4])
    hues = [colorsys.rgb_to_yiq(*(matrix @ base).tolist()) for matrix in drawn(2000).matrix]
    _, in_phase, quadrature = colorsys.rgb_to_yiq(*base.tolist())
    start = math.atan2(quadrature, in_phase)
    turns = [
        math.remainder(math.atan2(quad, phase) - start, math.tau)
        for _, phase, quad in hues
        if math.hypot(phase, quad) > 1e-3  # grey has no hue
    ]
    assert 0.09 < max(map(abs, turns)) / math.tau < 0.101
    assert len(turns) / 2000 == pytest.approx(0.8, abs=0.03)  # a fifth has lost its colour


def test_one_channel_has_brightness_and_contrast_alone():
    views = drawn(50, channels=1)
    assert torch.equal(views.matrix, torch.ones(50, 1, 1))
    assert views.gain.min() >= 0.6 - 1e-6
    assert views.gain.max() <= 1.4 + 1e-6
    assert grey(IMAGES[:, :1].float()).shape == (6, 1, 8, 8)


def test_bytes_stay_between_black_and_white_and_floats_are_not_cut():
    pixels = drawn(6).apply(IMAGES, slice(0, 6))
    assert (pixels.min() >= 0, pixels.max() <= 255) == (True, True)
    bright = DrawnViews(plain().grids, torch.full((6, 2), 1.4), plain().matrix, None)
    assert bright.apply(IMAGES.float(), slice(0, 6)).max() > 255


def test_views_of_a_split_do_not_depend_on_the_batch_size():
    split = with_views(load_data(DataConfig(dataset_id="digits", subset=50), RunConfig(), CPU).train, 0.5)
    whole, parts = (
        torch.cat([images for images, _ in split.batches(size, augment=torch.Generator().manual_seed(1))])
        for size in (50, 7)
    )
    assert torch.equal(whole, parts)
    assert not split.augmentation.mirrored
