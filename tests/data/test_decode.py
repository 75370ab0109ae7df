import os

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import functional

from layerscope.data.decode import Decoder
from layerscope.errors import DataError


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "picture é.png"
    pixels = np.random.default_rng(0).integers(256, size=(31, 47, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize(("size", "shorter_side"), [(14, 16), (31, 31), (20, 20), (56, 64)])
def test_the_centre_is_torchvisions(picture, size, shorter_side):
    image = Image.open(picture)
    expected = functional.center_crop(functional.resize(image, shorter_side), [size, size])
    result = Decoder(size, shorter_side, pad=0)(os.fsencode(picture))
    assert torch.equal(result, functional.pil_to_tensor(expected))


def test_the_border_is_black(picture):
    result = Decoder(8, 8, pad=2)(os.fsencode(picture))
    assert result.shape == (3, 12, 12)
    assert result.sum() == result[:, 2:-2, 2:-2].sum() > 0


def test_a_random_crop_is_fixed_by_its_seed(picture):
    decode = Decoder(8, 8, pad=0)
    first, again, other = (decode(os.fsencode(picture), seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape == (3, 8, 8)


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "CMYK"])
def test_every_kind_of_picture_becomes_three_channels(tmp_path, mode):
    path = tmp_path / f"picture.{'tif' if mode == 'CMYK' else 'png'}"
    Image.new("L", (5, 5), 255).convert(mode).save(path)
    assert Decoder(5, 5, pad=0)(os.fsencode(path)).shape == (3, 5, 5)


@pytest.mark.parametrize("mode", ["I;16", "F"])
def test_more_than_eight_bits_are_refused_rather_than_cut_off(tmp_path, mode):
    path = tmp_path / "scan.tif"
    Image.new(mode, (5, 5), 1000).save(path)
    with pytest.raises(DataError, match=r"scan\.tif has more than 8 bits .* Convert it"):
        Decoder(5, 5, pad=0)(os.fsencode(path))


@pytest.mark.parametrize("damage", [lambda raw: raw[:200], lambda raw: b"", lambda raw: b"<html>404</html>"])
def test_a_damaged_picture_is_named(picture, damage):
    picture.write_bytes(damage(picture.read_bytes()))
    with pytest.raises(
        DataError, match=rf"the image .*{picture.name} cannot be read: .* Replace or remove it"
    ):
        Decoder(8, 8, pad=0)(os.fsencode(picture))


def test_a_vanished_picture_is_named(picture):
    picture.unlink()
    with pytest.raises(DataError, match=r"picture é\.png cannot be read: .*No such file"):
        Decoder(8, 8, pad=0)(os.fsencode(picture))
