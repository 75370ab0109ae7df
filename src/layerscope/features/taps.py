"""Hooks that hand on what flows through chosen layers, at the moment it flows."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from layerscope.errors import ModelError
from layerscope.features.evaluation import evaluating
from layerscope.features.layers import LayerSpec, absent_siblings, select_modules
from layerscope.features.reduce import Reduce

logger = logging.getLogger(__name__)

Where = Literal["input", "output"]


@dataclass(frozen=True)
class Layer:
    """One tapped layer, as the forward pass meets it.

    Attributes
    ----------
    name : str
        Dotted module name; ``name@2`` for the second call of a module that is called several times.
    index : int
        Position in execution order.
    module_name : str
    call : int
        Which call of the module, from 0.
    shape : tuple of int
        Shape of one sample at the tap, before reduction.
    dim : int
        Features per sample after reduction.
    """

    name: str
    index: int
    module_name: str
    call: int
    shape: tuple[int, ...]
    dim: int


class Taps:
    """While entered, every forward pass hands the features of the chosen layers to ``receive``.

    Features are handed on inside the hook, before the network goes on, so in-place operations cannot
    rewrite them and a module that is called several times gives one layer per call.

    Parameters
    ----------
    model : nn.Module
    spec : True or list of str
        See :func:`layerscope.features.layers.select_modules`.
    receive : callable
        ``receive(module_name, call, values)``, values as the module gets or gives them (B, ...).
    where : "input" | "output"
    """

    def __init__(
        self,
        model: nn.Module,
        spec: LayerSpec,
        receive: Callable[[str, int, Tensor], None],
        where: Where = "input",
    ) -> None:
        self.model, self.spec, self.receive, self.where = model, spec, receive, where
        self._handles: list[RemovableHandle] = []
        self._calls: Counter[str] = Counter()

    def __enter__(self) -> Taps:
        modules = select_modules(self.model, self.spec)
        self._handles.append(self.model.register_forward_pre_hook(self._start))
        aliases: dict[nn.Module, str] = {}
        for name, module in modules.items():
            if (
                aliases.setdefault(module, name) == name
            ):  # a shared module is hooked once, under its first name
                self._handles.append(self._hook(name, module))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def _hook(self, name: str, module: nn.Module) -> RemovableHandle:
        if self.where == "input":

            def before(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
                self._hand_on(name, (*args, *kwargs.values()))

            return module.register_forward_pre_hook(before, with_kwargs=True)

        def after(_: nn.Module, __: tuple[Any, ...], output: Any) -> None:
            self._hand_on(name, output if isinstance(output, (tuple, list)) else (output,))

        return module.register_forward_hook(after)

    def _start(self, _: nn.Module, __: tuple[Any, ...]) -> None:
        self._calls.clear()

    def _hand_on(self, name: str, values: tuple[Any, ...] | list[Any]) -> None:
        found = _first_tensor(values)
        if found is None:
            raise ModelError(f"layer {name!r} has no tensor at its {self.where}; tap another layer")
        call = self._calls[name]
        self._calls[name] += 1
        self.receive(name, call, found)


def _first_tensor(value: Any) -> Tensor | None:
    """The first tensor in a value, or in the tuples, lists and dicts that it is made of."""
    if isinstance(value, Tensor):
        return value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else ()
    found = (_first_tensor(part) for part in parts)
    return next((tensor for tensor in found if tensor is not None), None)


def trace_layers(
    model: nn.Module, images: Tensor, spec: LayerSpec, *, where: Where = "input", reduce: Reduce
) -> list[Layer]:
    """The tapped layers in execution order, found by one forward pass in eval mode.

    Parameters
    ----------
    model : nn.Module
        On any device, the meta device included.
    images : Tensor (B, C, H, W)
        A small batch on the same device.
    spec, where, reduce
        What is tapped and how it becomes features.

    Raises
    ------
    ModelError
        An entry of ``spec`` matches no module, nothing it matches is executed, or a layer cannot be
        reduced so.
    """
    met: list[tuple[str, int, tuple[int, ...], int]] = []

    def note(name: str, call: int, values: Tensor) -> None:
        try:
            met.append((name, call, tuple(values.shape[1:]), reduce(values).shape[1]))
        except ModelError as error:
            raise ModelError(f"layer {name}: {error}") from error

    with torch.no_grad(), evaluating(model), Taps(model, spec, note, where):
        model(images)
    _warn_unexecuted(model, spec, {name for name, *_ in met})
    return _numbered(met)


def _numbered(met: list[tuple[str, int, tuple[int, ...], int]]) -> list[Layer]:
    calls = Counter(name for name, *_ in met)
    return [
        Layer(name if calls[name] == 1 else f"{name}@{call + 1}", index, name, call, shape, dim)
        for index, (name, call, shape, dim) in enumerate(met)
    ]


def _warn_unexecuted(model: nn.Module, spec: LayerSpec, executed: set[str]) -> None:
    selected = select_modules(model, spec)
    ran = {module for name, module in selected.items() if name in executed}
    missing = [name for name, module in selected.items() if module not in ran]
    if not executed:
        raise ModelError(
            f"none of the layers that Model.embedding-layers selects is executed: {', '.join(missing)}"
        )
    if missing:
        logger.warning(
            "tapped modules that the forward pass does not execute are left out: %s", ", ".join(missing)
        )
    if absent := absent_siblings(model, spec):
        logger.warning("this model has no modules that match the entries %s", ", ".join(absent))
