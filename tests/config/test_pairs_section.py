"""``Measurements.pairs``."""

from __future__ import annotations

import pytest

from layerscope.errors import ConfigError
from layerscope.measurement.key import measurement_key

from .test_information_section import config_with


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"method": "nearest"}, "method must be nn, nn_class or assign_class"),
        ({"encoder": "clip"}, "encoder must be pixels, pca, whitened, features or timm/<name>"),
        ({"encoder": "timm/vit_base_patch16_clip_224"}, r"needs pairs\.weights: a file of its weights"),
        ({"weights": "w.safetensors"}, "weights means nothing for encoder: pixels"),
        ({"components": 8}, "components means nothing for encoder: pixels; it is for pca and whitened"),
        ({"encoder": "pca", "layer": "fc"}, "layer means nothing for encoder: pca; it is for features"),
    ],
)
def test_pairs_that_cannot_be_are_refused_when_the_config_is_read(given, message):
    with pytest.raises(ConfigError, match=message):
        config_with(pairs=given)


def test_a_group_asks_for_the_measures_of_pairs():
    assert config_with(measures="Pairs").measurements.selected == ("DiscreteMI", "JointPMF", "PairedMI")


@pytest.mark.parametrize(
    "changes",
    [
        {"pairs": {"method": "nn_class"}},
        {"pairs": {"encoder": "whitened", "components": 8}},
        {"pairs": {"permutations": 10}},
        {"information": {"units": "bits"}},
    ],
)
def test_other_pairs_are_measured_anew_and_nothing_else_is(changes):
    before, after = config_with(), config_with(**changes)
    assert measurement_key(before, "DiscreteMI", "x") != measurement_key(after, "DiscreteMI", "x")
    assert measurement_key(before, "NC1", "x") == measurement_key(after, "NC1", "x")
    assert before.hash == after.hash


def test_weights_of_an_encoder_count_by_what_the_file_holds(tmp_path):
    def key(path):
        config = config_with(measures="Pairs", pairs={"encoder": "timm/resnet18", "weights": str(path)})
        return measurement_key(config, "DiscreteMI", "x")

    one, other = tmp_path / "one.pt", tmp_path / "other.pt"
    one.write_bytes(b"first")
    other.write_bytes(b"first")
    before = key(one)
    assert key(other) == before
    one.write_bytes(b"second, longer")
    assert key(one) != before
    one.unlink()
    assert key(one) not in (before, key(other))
