"""What training itself looks like from step to step: gradient norms, and activations of chosen layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from layerscope.distributed.exchange import gathered

Observed = dict[str, Tensor]
"""Name of a series → its values, one row per step, in float64 on the CPU.

``gradient_norm``: (S,). ``activations/<layer>``: (S, 5): samples, mean, variance, smallest and largest value.
"""

GRADIENT_NORM = "gradient_norm"
ACTIVATIONS = "activations/"


class Observer:
    """Notes values on the device, of training steps only; no step waits for them. Without names, nothing.

    Parameters
    ----------
    names
        Any of ``gradient-norm``, ``activations``.
    layers
        Name → module of the layers whose activations are wanted.
    where
        Their input or their output.
    """

    def __init__(
        self,
        names: Sequence[str] = (),
        layers: Mapping[str, nn.Module] | None = None,
        where: Literal["input", "output"] = "input",
    ) -> None:
        self.wants_norm = "gradient-norm" in names
        self._rows: dict[str, list[Tensor]] = {}
        self._calls: Counter[str] = Counter()
        wanted = dict(layers or {}) if "activations" in names else {}
        self._handles = [self._hook(name, module, where) for name, module in _once_each(wanted).items()]

    def end_step(self, norm: Tensor | None) -> None:
        """Note the norm of the gradient of the step that has just been made."""
        if norm is not None and self.wants_norm:
            self._rows.setdefault(GRADIENT_NORM, []).append(norm.detach())
        self._calls.clear()

    def take(self) -> Observed:
        """What was noted since the last time, of all processes; waits for the device."""
        own = {name: torch.stack(rows).double().cpu() for name, rows in self._rows.items()}
        self._rows = {}
        parts = gathered(own)
        return {
            name: series if series.ndim == 1 else reduce(_pooled, [part[name] for part in parts])
            for name, series in own.items()  # the norm is the same in all processes
        }

    def close(self) -> None:
        """Leave the layers alone."""
        for handle in self._handles:
            handle.remove()

    def _hook(self, name: str, module: nn.Module, where: str) -> RemovableHandle:
        if where == "input":

            def before(owner: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
                self._note(owner, name, (*args, *kwargs.values()))

            return module.register_forward_pre_hook(before, with_kwargs=True)

        def after(owner: nn.Module, _: tuple[Any, ...], output: Any) -> None:
            self._note(owner, name, output if isinstance(output, (tuple, list)) else (output,))

        return module.register_forward_hook(after)

    def _note(self, module: nn.Module, name: str, values: Sequence[Any]) -> None:
        tensors = [value for value in values if isinstance(value, Tensor)]
        if not module.training or not torch.is_grad_enabled() or not tensors:
            return
        self._calls[name] += 1
        series = name if self._calls[name] == 1 else f"{name}@{self._calls[name]}"
        self._rows.setdefault(ACTIVATIONS + series, []).append(_summary(tensors[0].detach()))


def joined(before: Observed, after: Observed) -> Observed:
    """The series of two stretches of an epoch, one after the other."""
    if not after:
        return before
    if before.keys() != after.keys():  # nothing yet, or the config asks for other things now
        return after
    return {name: torch.cat([before[name], after[name]]) for name in after}


def over_steps(series: Tensor) -> dict[str, float]:
    """Mean, std, min and max over an epoch: of (S,) values, or of all that (S, 5) summaries are of."""
    if series.ndim == 1:
        spread = series.std(correction=0)
        found = series.mean(), spread, series.min(), series.max()
    else:
        _, mean, variance, low, high = reduce(_pooled, series)
        found = mean, variance.sqrt(), low, high
    return dict(zip(("mean", "std", "min", "max"), (float(value) for value in found), strict=True))


def each_step(series: Tensor) -> list[dict[str, float]]:
    """The same of every step by itself; a gradient has one norm: its ``value``."""
    if series.ndim == 1:
        return [{"value": float(value)} for value in series]
    return [over_steps(summary[None]) for summary in series]


def _once_each(layers: Mapping[str, nn.Module]) -> dict[str, nn.Module]:
    """A module that has several names is looked at under its first one."""
    first: dict[nn.Module, str] = {}
    for name, module in layers.items():
        first.setdefault(module, name)
    return {name: module for module, name in first.items()}


def _summary(values: Tensor) -> Tensor:
    """Samples, mean, variance, min, max of values (B, ...)."""
    if not values.numel():  # one of several processes, without a share of the last batch
        return torch.tensor([0.0, 0.0, 0.0, torch.inf, -torch.inf], device=values.device)
    values = values.float()
    variance, mean = torch.var_mean(values, correction=0)
    low, high = values.aminmax()
    samples = torch.full_like(mean, len(values))
    return torch.stack([samples, mean, variance, low, high])


def _pooled(one: Tensor, other: Tensor) -> Tensor:
    """Summaries (..., 5) of two sets of samples together."""
    count, more = one[..., 0], other[..., 0]
    total = count + more
    share = torch.where(total > 0, more / total.clamp(min=1), torch.zeros_like(total))
    gap = other[..., 1] - one[..., 1]
    mean = one[..., 1] + share * gap
    variance = (1 - share) * one[..., 2] + share * other[..., 2] + share * (1 - share) * gap.square()
    low, high = torch.minimum(one[..., 3], other[..., 3]), torch.maximum(one[..., 4], other[..., 4])
    return torch.stack([total, mean, variance, low, high], dim=-1)
