"""The sizes of the files that training writes, known from names and shapes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass

from layerscope.config import OptimizerConfig

_ORDER = ("BOOL", "U8", "I8", "I16", "U16", "F16", "BF16", "I32", "U32", "F32", "C64", "F64", "I64", "U64")
"""The format stores tensors of the later of these types first, those of one type by name."""

_PREFIX = 8
_ALIGNMENT = 8


@dataclass(frozen=True)
class StoredTensor:
    """One tensor of a checkpoint: its name, its type as the format calls it, its shape and its bytes."""

    name: str
    kind: str
    shape: tuple[int, ...]
    item_bytes: int

    @property
    def bytes(self) -> int:
        """The bytes of its values."""
        return math.prod(self.shape) * self.item_bytes


def safetensors_bytes(tensors: Iterable[StoredTensor]) -> int:
    """The size of a safetensors file: the length of its header, the header, and the values."""
    header, end = {}, 0
    for tensor in sorted(tensors, key=lambda each: (-_place(each.kind), each.name)):
        start, end = end, end + tensor.bytes
        header[tensor.name] = {
            "dtype": tensor.kind,
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
    length = len(json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode())
    return _PREFIX + length + -length % _ALIGNMENT + end


def resume_bytes(config: OptimizerConfig, weight_bytes: int, trainable_bytes: int) -> int:
    """About the size of a resume point: the weights, and what the optimizer keeps for each of them."""
    momentum = 1 if config.momentum else 0
    kept = {"sgd": momentum, "adam": 2, "adamw": 2, "rmsprop": 1 + momentum}[config.optimizer]
    return weight_bytes + kept * trainable_bytes


def _place(kind: str) -> int:
    return _ORDER.index(kind) if kind in _ORDER else -1
