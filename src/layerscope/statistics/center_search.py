"""The nearest of many centres, and how much farther the second is, in single precision."""

from __future__ import annotations

import importlib.util
import math
import time
from collections.abc import Callable
from typing import Any, Literal, Protocol

import torch
from torch import Tensor
from torch.nn.functional import embedding

from layerscope.statistics.row_maxima import row_maxima

FEW = 16  # centres up to which scores are laid out by centre: rows so short are slow to compare
MANY = 128  # centres, and coordinates, from which half of the coordinates are compared first
TRIED, WORTH = 1000, 0.3  # points, and the share of them left open, from which that is given up
INDEXED = 64  # centres below which an index cannot win: one product of few columns takes next to nothing
ENOUGH = 256  # points from which the time of a search says something
Search = Literal["torch", "faiss", "auto"]


class Leading(Protocol):
    """Finds the nearest centre of each point."""

    def leading(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Nearest centres (B,) of points (B, D), and how much farther, squared, the second ones are (B,).

        A single centre is nearer by infinity.
        """


def product_search(centers: Tensor) -> Leading:
    """The search by products that suits so many centres (K, D), float64."""
    return HalfSearch(centers) if min(centers.shape) >= MANY else ProductSearch(centers)


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
            lengths = self._centers.square().sum(dim=1)
            self._made[points.dtype] = self._centers.to(points.dtype), -lengths.to(points.dtype)
        centers, offsets = self._made[points.dtype]
        if len(centers) <= FEW:
            scores = torch.addmm(offsets.unsqueeze(1), centers, points.T, alpha=2.0)
            highest, best = scores.max(dim=0)
            second = scores.scatter_(0, best.unsqueeze(0), -math.inf).amax(dim=0)
        else:
            scores = torch.addmm(offsets, points, centers.T, alpha=2.0)
            highest, best = row_maxima(scores)
            second = scores.scatter_(1, best.unsqueeze(1), -math.inf).amax(dim=1)
        return best, highest - second


class HalfSearch:
    r"""Compares half of the coordinates first, and all of them where that leaves the nearest centre open.

    With x = (a, b) and m = (p, q), :math:`|x-m|^2 \ge |a-p|^2 + (|b|-|q|)^2`, which is the distance of the
    shortened :math:`(a, |b|)` and :math:`(p, |q|)`. A centre whose whole distance is below the shortened ones
    of all others is the nearest. The differences that are returned are then lower bounds.

    Parameters
    ----------
    centers : Tensor (K, D), float64
    """

    def __init__(self, centers: Tensor) -> None:
        self._whole, self._short = ProductSearch(centers), ProductSearch(_shortened(centers))
        self._rest = centers[:, _half(centers) :]
        self._made: dict[torch.dtype, tuple[Tensor, Tensor]] = {}
        self._seen = self._left_open = 0

    def leading(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """See :class:`Leading`."""
        if self._seen >= TRIED and self._left_open > self._seen * WORTH:
            return self._whole.leading(points)
        best, gap = self._short.leading(_shortened(points))
        gap -= self._excess(points[:, _half(points) :], best)
        rows = (~(gap > 0)).nonzero().squeeze(1)  # NaN among them
        self._seen += len(points)
        self._left_open += len(rows)
        if len(rows):
            best[rows], gap[rows] = self._whole.leading(points[rows])
        return best, gap

    def _excess(self, rest: Tensor, best: Tensor) -> Tensor:
        """By how much the whole squared distance to the best centre exceeds the shortened one (B,)."""
        if rest.dtype not in self._made:
            narrow = self._rest.to(rest.dtype).contiguous()
            self._made[rest.dtype] = narrow, torch.linalg.vector_norm(narrow, dim=1)
        centers, lengths = self._made[rest.dtype]
        products = torch.linalg.vecdot(rest, embedding(best, centers))
        return 2 * (torch.linalg.vector_norm(rest, dim=1) * lengths[best] - products)


def _half(rows: Tensor) -> int:
    """How many coordinates are compared first; with the length of the others they fill whole registers."""
    return rows.shape[1] // 2 - 1


def _shortened(rows: Tensor) -> Tensor:
    """The first half of the coordinates, and the length of the others."""
    half = _half(rows)
    return torch.cat([rows[:, :half], torch.linalg.vector_norm(rows[:, half:], dim=1, keepdim=True)], dim=1)


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
        missing = torch.from_numpy(found[:, 1]).to(points.device) < 0
        # With other centres about, the second one is missing where distances overflow.
        gap = math.inf if self._index.ntotal == 1 else math.nan
        return best, (distances[:, 1] - distances[:, 0]).masked_fill(missing, gap)


class FasterSearch:
    """The faster of two searches, found by timing both on the first large batch; the product until then.

    Parameters
    ----------
    product : Leading
    other : callable
        Makes the second search, when it is about to be timed.
    clock : callable
        Seconds.
    """

    def __init__(
        self, product: Leading, other: Callable[[], Leading], clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._chosen, self._other, self._clock = product, other, clock
        self._decided = False

    def leading(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """See :class:`Leading`."""
        if not self._decided and len(points) >= ENOUGH:
            other = self._other()
            times = [self._seconds(search, points) for search in (self._chosen, other)]
            self._chosen = other if times[1] < times[0] else self._chosen
            self._decided = True
        return self._chosen.leading(points)

    def _seconds(self, search: Leading, points: Tensor) -> float:
        """The shorter of two times, after a start that sets up threads and copies."""
        search.leading(points[:ENOUGH])
        times = []
        for _ in range(2):
            begun = self._clock()
            search.leading(points)
            times.append(self._clock() - begun)
        return min(times)


def search_among(centers: Tensor, search: Search) -> Leading:
    """What finds the nearest of ``centers`` (K, D), float64.

    Raises
    ------
    ValueError
        An unknown search.
    ImportError
        FAISS is asked for and not installed.
    """
    if search == "faiss":
        return FaissSearch(centers)
    if search == "torch":
        return product_search(centers)
    if search != "auto":
        raise ValueError(f"search must be 'torch', 'faiss' or 'auto', not {search!r}")
    product = product_search(centers)
    fits = centers.device.type == "cpu" and len(centers) >= INDEXED
    if not fits or importlib.util.find_spec("faiss") is None:
        return product
    return FasterSearch(product, lambda: FaissSearch(centers))


def _narrow(rows: Tensor) -> Any:
    """Rows as FAISS takes them: float32, in memory of the CPU, one after the other."""
    return rows.float().cpu().contiguous().numpy()


def _faiss() -> Any:
    try:
        import faiss
    except ImportError as error:
        raise ImportError("search='faiss' needs FAISS: pip install 'layerscope[faiss]'") from error
    return faiss
