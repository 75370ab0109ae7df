"""The user's own models, as ``module:function``."""

from __future__ import annotations

import contextlib
import importlib
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from layerscope.config.nearest import nearest
from layerscope.errors import ModelError
from layerscope.models.request import ModelRequest
from layerscope.source import own_folders


def build_user_model(request: ModelRequest) -> nn.Module:
    """Call ``function(shape, num_classes)`` of the user's module.

    A job of Slurm looks for it in the snapshot that it was submitted with, then, as everybody, in the working
    folder, then on the Python path.

    Raises
    ------
    ModelError
        No such module or function, an error inside it, or a result that is no ``nn.Module``.
    """
    module_name, _, function_name = request.name.partition(":")
    with _own_folders_first():
        module = _import(request.name, module_name)
        function = _function(request.name, module, function_name)
        try:
            model = function(request.shape, request.num_classes)
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(f"model-name {request.name}: {_failure(error)}") from error
    if not isinstance(model, nn.Module):
        raise ModelError(f"model-name {request.name} returned {type(model).__name__}; return an nn.Module.")
    return model


def _import(name: str, module_name: str) -> ModuleType:
    try:
        return importlib.import_module(module_name)
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and _is_or_contains(error.name, module_name):
            raise ModelError(
                f"model-name {name}: there is no module {error.name}, neither in {Path.cwd()} "
                "nor on the Python path."
            ) from error
        raise ModelError(f"model-name {name}: {module_name} cannot be imported: {_failure(error)}") from error


def _is_or_contains(lacking: str | None, module_name: str) -> bool:
    return lacking is not None and f"{module_name}.".startswith(f"{lacking}.")


def _function(name: str, module: ModuleType, function_name: str) -> Callable[..., Any]:
    function = getattr(module, function_name, None)
    if callable(function):
        return function
    close = nearest(function_name, [known for known in vars(module) if callable(getattr(module, known))])
    hint = f" Did you mean {close!r}?" if close else ""
    raise ModelError(
        f"model-name {name}: {module.__file__} has no function {function_name!r}.{hint} "
        "Write one that takes (shape, num_classes) and returns an nn.Module."
    )


def _failure(error: Exception) -> str:
    """Say what failed and on which line, since the command line shows no traceback."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({frame.filename}:{frame.lineno})"


@contextlib.contextmanager
def _own_folders_first() -> Iterator[None]:
    folders = [str(folder) for folder in own_folders()]
    sys.path[:0] = folders
    # A module written since its folder was last listed would otherwise not be seen.
    importlib.invalidate_caches()
    try:
        yield
    finally:
        for folder in folders:
            sys.path.remove(folder)
