"""Which classes are frequent and which are rare."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

Rule = Literal["thirds", "shots"]
RULES: tuple[Rule, ...] = get_args(Rule)
GROUPS = ("head", "mid", "tail")

MANY, FEW = 100, 20


def class_groups(counts: Tensor, rule: Rule = "thirds") -> dict[str, Tensor]:
    r"""Sort the classes into ``head``, ``mid`` and ``tail`` by their training samples.

    Parameters
    ----------
    counts : Tensor (K,)
        Training samples of each class.
    rule : "thirds" or "shots"
        ``thirds``: the tail is the :math:`\lceil K/3 \rceil` classes with the fewest samples, the head the
        larger half of the others (an inferred convention). ``shots``: head more than 100, tail fewer than
        20 samples, mid the rest (Liu et al. 2019, arXiv:1904.05160).

    Returns
    -------
    dict
        Group → numbers of its classes, ascending. Of classes of one size, those of higher number are rarer.
    """
    if rule == "shots":
        masks = counts > MANY, (counts >= FEW) & (counts <= MANY), counts < FEW
        return {name: mask.nonzero().flatten() for name, mask in zip(GROUPS, masks, strict=True)}
    order = torch.sort(counts, descending=True, stable=True).indices
    classes = len(counts)
    tail = -(-classes // 3)
    head = -(-(classes - tail) // 2)
    parts = order[:head], order[head : classes - tail], order[classes - tail :]
    return {name: part.sort().values for name, part in zip(GROUPS, parts, strict=True)}
