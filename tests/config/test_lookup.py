"""Spellings of data sets, models and measures."""

from __future__ import annotations

import importlib.metadata
import sys
import types

import pytest

from layerscope.config.lookup import canonical_dataset, canonical_measures, canonical_model, selected_measures
from layerscope.config.names import DATASETS, MEASURE_GROUPS, MEASURES, TORCHVISION_MODELS


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("MNIST", "mnist"),
        ("FashionMNIST", "fashionmnist"),
        ("fashion_mnist", "fashionmnist"),
        ("fashion-mnist", "fashionmnist"),
        ("STL-10", "stl10"),
        ("cifar-10", "cifar10"),
        ("SVHN", "svhn"),
        ("mnist_debug", "mnist_debug"),
        ("MNIST-debug", "mnist_debug"),
        *((name, name) for name in DATASETS),
    ],
)
def test_data_sets_go_by_many_spellings(written, canonical):
    assert canonical_dataset(written) == canonical


def test_an_unknown_data_set_gets_the_nearest():
    with pytest.raises(ValueError, match=r"'cifar11' is not a known data set; did you mean 'cifar10'\?"):
        canonical_dataset("cifar11")
    with pytest.raises(ValueError, match="known are: digits, mnist, "):
        canonical_dataset("coffee")


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("mlp", "mlp"),
        ("MLP_large_nobn", "mlp_large_nobn"),
        ("convNet_deep", "convnet_deep"),
        ("ResNet18", "resnet18"),
        ("resnet18_pretrained", "resnet18_pretrained"),
        ("vgg11_bn", "vgg11_bn"),
        ("timm/ViT_tiny_patch16_224.augreg_in21k", "timm/vit_tiny_patch16_224.augreg_in21k"),
        ("my_models.Nets:MyNet", "my_models.Nets:MyNet"),
        *((name, name) for name in TORCHVISION_MODELS),
    ],
)
def test_models_ignore_case_but_functions_keep_it(written, canonical):
    assert canonical_model(written) == canonical


@pytest.mark.parametrize(
    "name", ["resnet19", "resnet", "mlpsmall", "timm/", "a:b:c", "1a:b", "class:f", "a:", ""]
)
def test_names_of_no_model_are_refused(name):
    with pytest.raises(ValueError, match="is not a known model"):
        canonical_model(name)


def test_a_misspelt_model_gets_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'resnet18'"):
        canonical_model("resnt18")
    with pytest.raises(ValueError, match="did you mean 'mlp_small'"):
        canonical_model("mpl_small")


def test_a_newer_torchvision_is_asked_for_its_own_models(monkeypatch):
    newer = types.ModuleType("torchvision.models")
    newer.list_models = lambda module: ["resnet19", "resnet20"]
    package = types.ModuleType("torchvision")
    package.models = newer
    monkeypatch.setitem(sys.modules, "torchvision", package)
    monkeypatch.setitem(sys.modules, "torchvision.models", newer)
    monkeypatch.setattr(importlib.metadata, "version", lambda _package: "99.1.0+cpu")
    assert canonical_model("resnet19_pretrained") == "resnet19_pretrained"
    with pytest.raises(ValueError, match="did you mean 'resnet20'"):
        canonical_model("resnet2")


def test_without_torchvision_our_own_list_is_used(monkeypatch):
    def absent(package):
        raise importlib.metadata.PackageNotFoundError(package)

    monkeypatch.setattr(importlib.metadata, "version", absent)
    with pytest.raises(ValueError, match="is not a known model"):
        canonical_model("resnet19")


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("Fast", ("Fast",)),
        ("fast_stablerank", ("Fast", "StableRank")),
        ("Fast+Slow", ("Fast", "Slow")),
        ("all", ("All",)),
        ("CDNVMeasure", ("CDNV",)),
        ("TraceMeasure", ("Traces",)),
        ("AccuracyMeasure", ("Accuracy",)),
        ("NC1Measure", ("NC1",)),
        ("tracestestset", ("Traces",)),
        ("ETFTestset", ("ETF",)),
        ("AngleBetweenSubspacesTestset", ("AngleBetweenSubspaces",)),
        ("ncc_weightsvs", ("NCC", "WeightSVs")),
        *((name, (name,)) for name in MEASURES),
    ],
)
def test_measures_go_by_their_names_old_names_and_groups(written, canonical):
    assert canonical_measures(written) == canonical


@pytest.mark.parametrize("written", ["Tracs", "Fast_Tracs", "Fast_", "", "_"])
def test_an_unknown_measure_is_named(written):
    with pytest.raises(ValueError, match="is not a known measure or group"):
        canonical_measures(written)


def test_the_selection_is_in_the_order_of_the_registry_without_repetition():
    assert selected_measures(("NC1", "Accuracy", "NC1")) == ("Accuracy", "NC1")
    assert selected_measures(("All", "Fast")) == MEASURES
    groups = tuple(name for name in MEASURE_GROUPS if name != "All")
    assert selected_measures(groups[::-1]) == MEASURES
    assert sum(len(MEASURE_GROUPS[name]) for name in groups) == len(MEASURES)
    assert selected_measures(("Slow", "MLPSVD")) == MEASURE_GROUPS["Slow"]
