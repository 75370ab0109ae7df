"""How much memory a computation holds at once, found by following its tensors. Needs torch."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode


class LiveTensors(TorchFunctionMode):
    """While active, counts the bytes that the results of torch's functions hold; works on the meta device.

    What a function allocates for itself and frees before it returns (a convolution's workspace) is not seen.

    Parameters
    ----------
    known : iterable of Tensor
        What was there before (weights, inputs) and does not count.

    Attributes
    ----------
    peak : int
        The most bytes that were held at once.
    """

    def __init__(self, known: Iterable[Tensor]) -> None:
        super().__init__()
        self.peak = 0
        self._bytes = 0
        self._holders: Counter[int] = Counter()
        self._known = {_storage(tensor) for tensor in known}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in _tensors(result):
            self._hold(tensor)
        return result

    def _hold(self, tensor: Tensor) -> None:
        storage = _storage(tensor)
        if storage in self._known:
            return
        size = tensor.untyped_storage().nbytes()
        if not self._holders[storage]:
            self._bytes += size
            self.peak = max(self.peak, self._bytes)
        self._holders[storage] += 1
        weakref.finalize(tensor, self._release, storage, size)

    def _release(self, storage: int, size: int) -> None:
        self._holders[storage] -= 1
        if not self._holders[storage]:
            self._bytes -= size


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata


def _tensors(result: Any) -> Iterator[Tensor]:
    if isinstance(result, Tensor):
        yield result
    elif isinstance(result, (tuple, list)):
        for part in result:
            yield from _tensors(part)
