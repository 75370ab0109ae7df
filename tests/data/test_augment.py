import math

import pytest
import torch
import torch.nn.functional as F

from layerscope.data.augment import MARGIN, Shifts, coin, draw_shifts, random_box
from layerscope.errors import DataError

CPU = torch.device("cpu")
IMAGES = torch.randint(1, 256, (64, 3, 9, 11), dtype=torch.uint8, generator=torch.Generator().manual_seed(5))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def one_by_one(images, shifts):
    """The plain way: pad, cut out, mirror."""
    _, _, height, width = images.shape
    result = []
    for image, top, left, flip in zip(images, shifts.top, shifts.left, shifts.flip, strict=True):
        crop = F.pad(image, (MARGIN,) * 4)[:, top : top + height, left : left + width]
        result.append(crop.flip(2) if flip else crop)
    return torch.stack(result)


@pytest.mark.parametrize("kind", ["crop", "crop_flip"])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_a_batch_is_what_image_by_image_gives(kind, dtype):
    images = IMAGES.to(dtype)
    shifts = draw_shifts(kind, len(images), generator(), CPU)
    result = shifts.apply(images, slice(0, 64))
    assert result.dtype == dtype
    assert torch.equal(result, one_by_one(images, shifts))


def test_the_centre_without_flip_is_the_image():
    middle = torch.full((64,), MARGIN)
    assert torch.equal(
        Shifts(middle, middle, torch.zeros(64, dtype=torch.bool)).apply(IMAGES, slice(0, 64)), IMAGES
    )


def test_what_is_cut_from_outside_is_black():
    corner = torch.zeros(1, dtype=torch.int64)
    result = Shifts(corner, corner, torch.zeros(1, dtype=torch.bool)).apply(IMAGES[:1], slice(0, 1))
    assert not result[:, :, :MARGIN].any()
    assert not result[..., :MARGIN].any()
    assert torch.equal(result[:, :, MARGIN:, MARGIN:], IMAGES[:1, :, :-MARGIN, :-MARGIN])


def test_all_places_and_both_sides_are_equally_likely():
    shifts = draw_shifts("crop_flip", 90_000, generator(), CPU)
    for place in (shifts.top, shifts.left):
        counts = torch.bincount(place, minlength=9)
        assert len(counts) == 9
        assert counts.float() == pytest.approx(10_000, rel=0.05)
    assert shifts.flip.float().mean().item() == pytest.approx(0.5, abs=0.01)


def test_a_crop_alone_never_mirrors():
    assert not draw_shifts("crop", 1000, generator(), CPU).flip.any()


def test_the_draws_come_from_the_generator_only():
    torch.manual_seed(1)
    first = draw_shifts("crop_flip", 100, generator(3), CPU)
    torch.manual_seed(2)
    again, other = (draw_shifts("crop_flip", 100, generator(seed), CPU) for seed in (3, 4))
    assert torch.equal(first.top, again.top)
    assert torch.equal(first.flip, again.flip)
    assert not torch.equal(first.top, other.top)


def test_a_set_without_crops_is_refused():
    with pytest.raises(DataError, match="no crop is defined"):
        draw_shifts("none", 3, generator(), CPU)


@pytest.mark.parametrize(("height", "width"), [(200, 200), (100, 300), (7, 5), (1, 1)])
def test_a_random_box_lies_inside_the_image(height, width):
    draws = generator()
    for _ in range(200):
        top, left, box_height, box_width = random_box(height, width, draws)
        assert 0 <= top <= top + box_height <= height
        assert 0 <= left <= left + box_width <= width
        assert box_height >= 1
        assert box_width >= 1


def test_random_boxes_have_the_areas_and_ratios_of_imagenet():
    draws = generator()
    boxes = [random_box(1000, 1000, draws)[2:] for _ in range(500)]
    areas = [height * width / 1e6 for height, width in boxes]
    ratios = [math.log(width / height) / math.log(4 / 3) for height, width in boxes]
    assert min(areas) == pytest.approx(0.08, abs=0.03)
    assert max(areas) > 0.9
    assert (min(ratios), max(ratios)) == (pytest.approx(-1, abs=0.05), pytest.approx(1, abs=0.05))
    assert sum(ratios) / 500 == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize(
    ("height", "width", "box"), [(10, 2000, (0, 993, 10, 13)), (2000, 10, (993, 0, 13, 10))]
)
def test_a_long_image_falls_back_to_the_centre(height, width, box):
    assert random_box(height, width, generator()) == box


def test_a_coin_shows_both_sides():
    draws = generator()
    assert sum(coin(draws) for _ in range(1000)) == pytest.approx(500, abs=60)
