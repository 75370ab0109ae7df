"""Published weights: fetched safely, with an error that says what to do when they cannot be had."""

from __future__ import annotations

import contextlib
import os
import pickle
from collections.abc import Iterator

from layerscope.errors import ModelError
from layerscope.models.request import first_line

_FORCE = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"


@contextlib.contextmanager
def published_weights(name: str) -> Iterator[None]:
    """Surround a call that downloads weights and loads them.

    Raises
    ------
    ModelError
        The download failed, or the file is not what was published.
    """
    try:
        with _weights_only():
            yield
    except (OSError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        refused = isinstance(error, pickle.UnpicklingError)
        reason = "the file is damaged, or holds more than tensors" if refused else first_line(error)
        raise ModelError(
            f"the published weights of {name} cannot be had: {reason}. Fetch them on a "
            "machine with a network (torch and Hugging Face keep them in their caches), or drop _pretrained "
            "and name a file: Model.weights: FILE."
        ) from error


@contextlib.contextmanager
def _weights_only() -> Iterator[None]:
    # The loaders of other libraries call torch.load(weights_only=False), which would run code from the file.
    before = os.environ.get(_FORCE)
    os.environ[_FORCE] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_FORCE]
        else:
            os.environ[_FORCE] = before
