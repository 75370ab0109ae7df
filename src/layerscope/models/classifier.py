"""The classifier of a model: the linear layer that makes the logits."""

from __future__ import annotations

import torch
from torch import nn

from layerscope.errors import ModelError


def find_classifier(model: nn.Module, num_classes: int | None = None) -> tuple[str, nn.Linear]:
    """The last linear layer, in order of definition, and its dotted name.

    Parameters
    ----------
    model : nn.Module
    num_classes : int, optional
        Only layers with that many outputs count.

    Raises
    ------
    ModelError
        There is none.
    """
    linears = [(name, module) for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    fitting = [found for found in linears if num_classes in (None, found[1].out_features)]
    if fitting:
        return fitting[-1]
    outputs = "" if num_classes is None else f" with {num_classes} outputs"
    seen = (
        ", ".join(f"{name or 'the model'} ({module.out_features})" for name, module in linears[-3:]) or "none"
    )
    raise ModelError(
        f"the model has no classifier: no nn.Linear{outputs}. Its last linear layers (outputs): {seen}. "
        "Measures of the classifier need the logits to come from an nn.Linear."
    )


def fit_classifier(model: nn.Module, old_classes: int, num_classes: int) -> None:
    """Replace the classifier for ``old_classes`` by a fresh one; an equal number of classes keeps it."""
    name, head = find_classifier(model, old_classes)
    if old_classes == num_classes:
        return
    fresh = nn.Linear(head.in_features, num_classes, bias=head.bias is not None)
    model.set_submodule(name, fresh)


def set_classifier_bias(model: nn.Module, num_classes: int, bias: bool) -> None:
    """Give the classifier a bias, starting at zero, or take it away; one that is as wanted stays."""
    _, head = find_classifier(model, num_classes)
    if bias == (head.bias is not None):
        return
    fresh = torch.zeros(num_classes, device=head.weight.device, dtype=head.weight.dtype)
    head.register_parameter("bias", nn.Parameter(fresh) if bias else None)
