"""Which parameters share a learning rate and a weight decay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from layerscope.config import OptimizerConfig
from layerscope.config.nearest import nearest
from layerscope.errors import ModelError

Group = dict[str, Any]

LrGroups = Sequence[tuple[str, float]]
"""Ends of the names of modules, and the multiple of the learning rate there."""


def parameter_groups(config: OptimizerConfig, model: nn.Module) -> list[Group]:
    """Return all trainable parameters, those with one learning rate and one decay in one group.

    A module's learning rate is that of the entry of ``lr-groups`` that its name, or the name of the nearest
    module around it, ends with; the order of groups is that of their first parameters.

    Raises
    ------
    ModelError
        Nothing in the model can be trained; an entry of ``lr-groups`` means nothing that can, or two entries
        mean the same module.
    """
    factors = lr_factors(config.lr_groups, model)
    found: dict[tuple[float, bool], Group] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        decays = config.decay == "all" or parameter.ndim > 1  # biases, scales and shifts have one axis
        group = found.setdefault((factors[name], decays), {"params": [], "lr_factor": factors[name]})
        group["params"].append(parameter)
        if not decays:
            group["weight_decay"] = 0.0
    if not found:
        raise ModelError("the model has no trainable parameters. Choose another Model.model-name.")
    return list(found.values())


def lr_factors(groups: LrGroups, model: nn.Module) -> dict[str, float]:
    """Name of a parameter → its learning rate as a multiple of the run's.

    Raises
    ------
    ModelError
        An entry of ``groups`` means nothing that can be trained, or two mean the same module.
    """
    entries = {name: _entry_of(name, groups) for name, _ in model.named_modules() if name}
    factors, used = {}, set()
    for name, parameter in model.named_parameters():
        entry = next((entries[place] for place in _around(name) if entries.get(place)), None)
        factors[name] = dict(groups).get(entry or "", 1.0)
        if parameter.requires_grad:
            used.add(entry)
    for entry, _ in groups:
        if entry not in used:
            raise ModelError(_no_match(entry, list(entries)))
    return factors


def _entry_of(name: str, groups: LrGroups) -> str | None:
    fitting = [entry for entry, _ in groups if f"^{name}".endswith(entry)]
    if len(fitting) > 1:
        raise ModelError(
            f"Optimizer.lr-groups: {fitting[0]!r} and {fitting[1]!r} both mean the module {name}. "
            "Write longer ends of the names."
        )
    return fitting[0] if fitting else None


def _around(name: str) -> list[str]:
    """The modules that a parameter belongs to, the nearest first: ``a.b.weight`` → ``a.b``, ``a``."""
    parts = name.split(".")[:-1]
    return [".".join(parts[:length]) for length in range(len(parts), 0, -1)]


def _no_match(entry: str, names: list[str]) -> str:
    close = nearest(entry.lstrip("^."), names)
    hint = f"; did you mean '^{close}'?" if close else ""
    return (
        f"Optimizer.lr-groups: {entry!r} means no module with trainable parameters of its own{hint} "
        "(an entry matches the end of ^name)"
    )
