"""Starting weights from a file: safetensors, or a weights-only ``.pt``. Nothing else is ever unpickled."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from layerscope.errors import ModelError
from layerscope.models.request import first_line

KEY = "Model.weights"
_LISTED = 8
_WRAPPERS = ("state_dict", "model", "model_state_dict")
_NO_PICKLE = (
    *(OSError, RuntimeError, EOFError, LookupError, ValueError),
    *(TypeError, AttributeError, struct.error),
)
"""What reading a file that is no pickle, or half of one, comes to."""

_PREFIXES = ("module.", "_orig_mod.")
"""What data-parallel training and compilation put before every name."""


def load_weights(model: nn.Module, path: Path | str) -> None:
    """Set all parameters and buffers of ``model`` from ``path``; a model on the meta device is only compared.

    Raises
    ------
    ModelError
        The file is missing, damaged, holds anything but tensors, or does not fit; misfits are listed by name.
    """
    path = Path(path).expanduser()
    state = read_weights(path)
    compare_weights(model.state_dict(), state, path)
    if not any(tensor.is_meta for tensor in model.state_dict().values()):
        model.load_state_dict(state)


def read_weights(path: Path, key: str = KEY) -> dict[str, Tensor]:
    """Return the tensors of a weights file by name, on the CPU; ``key`` is what messages call it.

    Raises
    ------
    ModelError
        See :func:`load_weights`.
    """
    if not path.is_file():
        raise ModelError(f"{key}: there is no file {path} (looked up from {Path.cwd()}).")
    content = _read_safetensors(path, key) if path.suffix == ".safetensors" else _read_pt(path, key)
    state = _unwrapped(content)
    if not state or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in state.items()
    ):
        raise ModelError(
            f"{key}: {path} holds no mapping of names to tensors. "
            "Save it with torch.save(model.state_dict(), FILE)."
        )
    return _without_prefixes(dict(state))


def _without_prefixes(state: dict[str, Tensor]) -> dict[str, Tensor]:
    for prefix in _PREFIXES:
        if all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state


def _read_safetensors(path: Path, key: str) -> dict[str, Tensor]:
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{key}: {path} is no intact safetensors file: {error}.") from error
    return tensors


def _read_pt(path: Path, key: str) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{key}: {path} is refused: it is damaged, or holds Python objects besides tensors, and "
            "loading those would run code from the file. Save only weights: "
            "torch.save(model.state_dict(), FILE), or safetensors."
        ) from error
    except _NO_PICKLE as error:
        raise ModelError(f"{key}: {path} is no intact weights file: {first_line(error)}.") from error


def _unwrapped(content: Any) -> Mapping[Any, Any]:
    """Look inside the dictionaries that training scripts put around a state dict."""
    if not isinstance(content, Mapping):
        return {}
    for key in _WRAPPERS:
        if isinstance(content.get(key), Mapping):
            inner: Mapping[Any, Any] = content[key]
            return inner
    return content


def compare_weights(
    expected: Mapping[str, Tensor], found: Mapping[str, Tensor], path: Path, key: str = KEY
) -> None:
    """Refuse tensors that are not those of a model, by name and shape.

    Raises
    ------
    ModelError
        The message lists what is missing, unexpected, or of another shape.
    """
    shapes = [
        f"{name} is {tuple(found[name].shape)}, the model's {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in found and found[name].shape != tensor.shape
    ]
    misfits = {
        "missing": [name for name in expected if name not in found],
        "unexpected": [name for name in found if name not in expected],
        "of another shape": shapes,
    }
    lines = [f"  {kind}: {_listed(names)}" for kind, names in misfits.items() if names]
    if lines:
        raise ModelError("\n".join([f"{key}: {path} does not fit the model:", *lines]))


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
