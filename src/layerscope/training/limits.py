"""What a device or a layer cannot do, said in the words of the config."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from layerscope.config import Config
from layerscope.errors import ModelError


@contextlib.contextmanager
def explained_limits(config: Config) -> Iterator[None]:
    """Turn torch's out-of-memory and BatchNorm errors into a :class:`ModelError` that says what to change."""
    size = config.data.batch_size
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise ModelError(
            f"{config.model.model_name} with Data.batch-size {size} does not fit the device's memory. "
            "Lower Data.batch-size, or set Optimizer.autocast to bf16."
        ) from error
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise ModelError(
            f"{config.model.model_name} has BatchNorm layers, which cannot train on a batch of one sample. "
            "Set Data.batch-size to 2 or more."
        ) from error
