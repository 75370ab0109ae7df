"""The nearest of many centres, and how much farther the second is, in single precision."""

from __future__ import annotations

import math
from typing import Any, Protocol

import torch
from torch import Tensor


class Leading(Protocol):
    """Finds the nearest centre of each point."""

    def leading(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Nearest centres (B,) of points (B, D), and how much farther, squared, the second ones are (B,).

        A single centre is nearer by infinity.
        """


class ProductSearch:
    r"""Scores :math:`2 z\cdot m_c - |m_c|^2` by one product, in the precision of the points.

    Parameters
    ----------
    centers : Tensor (K, D), float64
    """

    def __init__(self, centers: Tensor) -> None:
        self._centers = centers
        self._made: dict[torch.dtype, tuple[Tensor, Tensor]] = {}

    def leading(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """See :class:`Leading`."""
        if points.dtype not in self._made:
            narrow = self._centers.to(points.dtype)
            self._made[points.dtype] = narrow.T, -self._centers.square().sum(dim=1).to(points.dtype)
        columns, offsets = self._made[points.dtype]
        scores = torch.addmm(offsets, points, columns, alpha=2.0)
        highest, best = scores.max(dim=1)
        second = scores.scatter_(1, best.unsqueeze(1), -math.inf).amax(dim=1)
        return best, highest - second


class FaissSearch:
    """The flat index of FAISS, which compares every centre and is exact up to the rounding of float32.

    Parameters
    ----------
    centers : Tensor (K, D), float64

    Raises
    ------
    ImportError
        FAISS is not installed.
    """

    def __init__(self, centers: Tensor) -> None:
        self._index: Any = _faiss().IndexFlatL2(centers.shape[1])
        self._index.add(_narrow(centers))

    def leading(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """See :class:`Leading`."""
        squares, found = self._index.search(_narrow(points), 2)
        distances = torch.from_numpy(squares).to(points.device)
        best = torch.from_numpy(found[:, 0]).to(points.device)
        alone = torch.from_numpy(found[:, 1]).to(points.device) < 0
        return best, (distances[:, 1] - distances[:, 0]).masked_fill(alone, math.inf)


def _narrow(rows: Tensor) -> Any:
    """Rows as FAISS takes them: float32, in memory of the CPU, one after the other."""
    return rows.float().cpu().contiguous().numpy()


def _faiss() -> Any:
    try:
        import faiss
    except ImportError as error:
        raise ImportError("search='faiss' needs FAISS: pip install 'layerscope[faiss]'") from error
    return faiss
