"""Sizes of files are known before they are written."""

from __future__ import annotations

import pytest
import safetensors.torch
import torch

from layerscope.config import parse_config
from layerscope.preview.checkpoint_size import StoredTensor, resume_bytes, safetensors_bytes

KINDS = {torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.int64: "I64",
         torch.uint8: "U8", torch.bool: "BOOL", torch.bfloat16: "BF16"}  # fmt: skip


def stored(tensors):
    return [
        StoredTensor(name, KINDS[tensor.dtype], tuple(tensor.shape), tensor.dtype.itemsize)
        for name, tensor in tensors.items()
    ]


@pytest.mark.parametrize("width", [1, 7, 99, 1000])
def test_the_size_of_a_file_is_exact(width):
    tensors = {
        f"layer{number}.{kind}": torch.zeros(width, number + 1, dtype=dtype)
        for number, (dtype, kind) in enumerate(KINDS.items())
    }
    tensors |= {"counter": torch.tensor(3), "größe": torch.zeros(3), "empty": torch.zeros(0, 2)}
    assert safetensors_bytes(stored(tensors)) == len(safetensors.torch.save(tensors))


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({}, 1),
        ({"momentum": 0.0}, 0),
        ({"optimizer": "adam"}, 2),
        ({"optimizer": "adamw"}, 2),
        ({"optimizer": "rmsprop"}, 2),
        ({"optimizer": "rmsprop", "momentum": 0.0}, 1),
    ],
)
def test_a_resume_point_holds_what_the_optimizer_keeps(settings, kept):
    from layerscope.training.optimizers import build_optimizer

    tree = {
        "Model": {"model-name": "mlp"},
        "Data": {"dataset-id": "digits"},
        "Optimizer": {"lr": 0.1, "epochs": 1, **settings},
        "Logging": {"save-dir": "logs"},
    }
    config = parse_config(tree).optimizer
    assert resume_bytes(config, 1000, 100) == 1000 + kept * 100

    model = torch.nn.Linear(100, 10, bias=False)
    optimizer = build_optimizer(config, model)
    model(torch.ones(1, 100)).sum().backward()
    optimizer.step()
    held = [value for entry in optimizer.state_dict()["state"].values() for value in entry.values()]
    large = [value for value in held if isinstance(value, torch.Tensor) and value.numel() == 1000]
    assert len(large) == kept
