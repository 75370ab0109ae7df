"""From whatever a layer passes on to one row of features per sample."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from layerscope.errors import ModelError

Reduce = Callable[[Tensor], Tensor]  # (B, ...) -> (B, D)


def flatten(values: Tensor) -> Tensor:
    """All values of a sample in one row: (B, ...) → (B, D)."""
    return values.flatten(start_dim=1)


def mean(values: Tensor) -> Tensor:
    """Mean over positions: (B, C, H, W) → (B, C), (B, tokens, C) → (B, C); rows stay as they are."""
    if values.ndim >= 4:
        return values.flatten(start_dim=2).mean(dim=2)
    return values.mean(dim=1) if values.ndim == 3 else flatten(values)


def cls(values: Tensor) -> Tensor:
    """The first token, a transformer's class token: (B, tokens, C) → (B, C); rows stay as they are.

    Raises
    ------
    ModelError
        The values are no tokens.
    """
    return values if values.ndim == 2 else _tokens(values, "cls")[:, 0]


def mean_token(values: Tensor) -> Tensor:
    """Mean over all tokens but the first, the class token: (B, tokens, C) → (B, C); rows stay as they are.

    Raises
    ------
    ModelError
        The values are no tokens, or only one.
    """
    return values if values.ndim == 2 else _tokens(values, "mean_token", least=2)[:, 1:].mean(dim=1)


def _tokens(values: Tensor, name: str, least: int = 1) -> Tensor:
    if values.ndim != 3 or values.shape[1] < least:
        shape = " x ".join(map(str, values.shape[1:])) or "a single value"
        raise ModelError(
            f"Model.reduce: {name} takes (tokens, features) or single rows, not {shape}; tap other layers, "
            "or set Model.reduce to mean"
        )
    return values


class Project:
    """Random Gaussian projection of the flattened values onto ``dim`` features, the same for every batch.

    Distances are kept within about :math:`\\sqrt{8 \\ln(NK) / \\mathrm{dim}}` (Johnson-Lindenstrauss).
    Layers that are already that narrow are only flattened.

    Parameters
    ----------
    dim : int
    seed : int
    """

    def __init__(self, dim: int, seed: int) -> None:
        self.dim, self.seed = dim, seed
        self._matrices: dict[tuple[int, torch.dtype, torch.device], Tensor] = {}

    def __call__(self, values: Tensor) -> Tensor:
        """Project (B, ...) onto (B, dim)."""
        rows = flatten(values)
        return rows if rows.shape[1] <= self.dim else rows @ self._matrix(rows)

    def _matrix(self, rows: Tensor) -> Tensor:
        key = (rows.shape[1], rows.dtype, rows.device)
        if key not in self._matrices:
            self._matrices[key] = self._draw(rows.shape[1]).to(rows.device, rows.dtype)
        return self._matrices[key]

    def _draw(self, width: int) -> Tensor:
        generator = torch.Generator().manual_seed(self.seed)
        entries = torch.randn(width, self.dim, generator=generator, dtype=torch.float64, device="cpu")
        return entries / math.sqrt(self.dim)


def reduce_by_name(name: str, seed: int) -> Reduce:
    """The reduction that a config calls ``flatten``, ``mean``, ``cls``, ``mean_token`` or ``project:N``."""
    if name.startswith("project:"):
        return Project(int(name.removeprefix("project:")), seed)
    return {"flatten": flatten, "mean": mean, "cls": cls, "mean_token": mean_token}[name]
