import re

import pytest

from layerscope.config import ModelConfig, names
from layerscope.config.own_models import SIZES, Architecture, own_family, parse_own_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mlp", Architecture("mlp", 512, 5)),
        ("mlp_linear", Architecture("mlp", 0, 0)),
        ("mlp_single", Architecture("mlp", 512, 1)),
        ("mlp_small", Architecture("mlp", 256, 4)),
        ("mlp_wide", Architecture("mlp", 1024, 4)),
        ("mlp_xwide", Architecture("mlp", 2048, 4)),
        ("mlp_large", Architecture("mlp", 1024, 10)),
        ("mlp_xlarge", Architecture("mlp", 1024, 20)),
        ("mlp_huge", Architecture("mlp", 2048, 20)),
        ("convnet", Architecture("convnet", 128, 10)),
        ("convnet_small", Architecture("convnet", 64, 7)),
        ("convnet_wide", Architecture("convnet", 256, 10)),
        ("convnet_deep", Architecture("convnet", 128, 20)),
        ("convnet_xdeep", Architecture("convnet", 128, 40)),
        ("convnet_deepwide", Architecture("convnet", 256, 20)),
        ("convnet_huge", Architecture("convnet", 512, 20)),
    ],
)
def test_every_size_has_its_width_and_depth(name, expected):
    assert parse_own_name(name) == expected


@pytest.mark.parametrize("name", ["mlp_large_nobn_bias", "mlp_bias_large_nobn", "MLP_NoBN_bias_LARGE"])
def test_sizes_and_flags_come_in_any_order_and_case(name):
    assert parse_own_name(name) == Architecture("mlp", 1024, 10, batch_norm=False, bias=True)


def test_flags_alone_keep_the_default_size():
    assert parse_own_name("mlp_sharedweight") == Architecture("mlp", 512, 5, shared_weight=True)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("mlp_larg", r"'larg' is unknown to mlp. Did you mean 'large'\?"),
        (
            "mlp_qqq",
            r"'qqq' is unknown to mlp. At most one size \(linear, single, .*\) and any flags \(nobn, bias",
        ),
        ("mlp_large_small", "names two sizes: large, small"),
        ("mlp_large_large", "names two sizes: large, large"),
        ("mlp_nobn_nobn", "gives 'nobn' twice"),
        ("mlp_", "'' is unknown to mlp"),
        ("mlp__nobn", "'' is unknown to mlp"),
        ("mlp_pretrained", "'pretrained' is unknown to mlp"),
        ("convnet_sharedweight", "'sharedweight' is unknown to convnet"),
        ("mlp_linear_sharedweight", "no hidden layers that could share"),
        ("resnet18", "none of our families: mlp, convnet"),
    ],
)
def test_a_name_outside_the_grammar_is_explained(name, complaint):
    with pytest.raises(ValueError, match=complaint) as error:
        parse_own_name(name)
    assert repr(name) in str(error.value)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("mlp", "mlp"),
        ("MLP_wide", "mlp"),
        ("convnet_x", "convnet"),
        ("convnext_tiny", None),
        ("mlpmixer", None),
    ],
)
def test_families_are_told_by_the_first_word(name, family):
    assert own_family(name) == family


@pytest.mark.parametrize("name", names.OWN_EXAMPLES)
def test_every_name_that_the_config_proposes_exists(name):
    parse_own_name(name)


@pytest.mark.parametrize("family", SIZES)
def test_the_config_accepts_every_size(family):
    for size in filter(None, SIZES[family]):
        assert ModelConfig(model_name=f"{family}_{size}").model_name == f"{family}_{size}"
        assert re.fullmatch(r"[a-z]+", size)
