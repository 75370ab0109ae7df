"""Sums over the spectrum of a symmetric positive operator that is known only by its products."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

Product = Callable[[Tensor], Tensor]
BREAKDOWN = 1e-10  # length, relative to the operator's norm of 1, below which a Krylov space is exhausted
CONVERGED = 0.02  # relative residual of a Ritz pair; its eigenvalue is then right to the square of this


def krylov_pairs(product: Product, start: Tensor, blocks: int) -> tuple[Tensor, Tensor]:
    r"""Ritz values and vectors of the block Krylov space of ``start`` that have converged.

    Parameters
    ----------
    product : callable
        Vectors (n, p) → operator times vectors.
    start : Tensor (n, r), float64
    blocks : int
        Of at most r dimensions each; every one takes a product with its vectors.

    Returns
    -------
    values : Tensor (m,), float64
        Descending; those whose residual is at most 2 % of them.
    vectors : Tensor (n, m), float64
        Orthonormal columns.
    """
    basis = torch.linalg.qr(start)[0]
    images = product(basis).double()
    newest = images
    for _ in range(blocks - 1):
        newest = _next_block(newest, basis)
        basis = torch.cat([basis, newest], dim=1)
        newest = product(newest).double()
        images = torch.cat([images, newest], dim=1)
    inner = basis.T @ images
    values, turn = torch.linalg.eigh((inner + inner.T) / 2)
    vectors = basis @ turn
    residuals = torch.linalg.vector_norm(images @ turn - vectors * values, dim=0)
    kept = (residuals <= CONVERGED * values).nonzero().squeeze(1).flip(0)
    return values[kept], vectors[:, kept]


def lanczos_quadratures(product: Product, starts: Tensor, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
    r"""Nodes and weights with :math:`z^\top f(A)\,z \approx \sum_s w_s f(x_s)` for every start vector z.

    Lanczos with all start vectors at once. After k steps the sums are exact for polynomials up to degree
    2k - 1, and for everything as soon as the Krylov space is exhausted. Vectors are not orthogonalised again:
    rounding then repeats nodes, and splits their weights, which leaves the sums as they are.

    Parameters
    ----------
    product : callable
        Vectors (n, p) → operator times vectors.
    starts : Tensor (n, p), float64
    steps : int
        At most.

    Yields
    ------
    nodes, weights : Tensor (p, k), float64
        After k = 1, 2, … steps. The weights of z sum to :math:`|z|^2`.

    References
    ----------
    Ubaru, Chen, Saad (2017), Fast estimation of tr(f(A)) via stochastic Lanczos quadrature, SIMAX 38(4);
    Chen, Trogdon, Ubaru (2021), Analysis of stochastic Lanczos quadrature for spectrum approximation, ICML
    (without orthogonalising again).
    """
    lengths = torch.linalg.vector_norm(starts, dim=0)
    vectors, before = _unit(starts, lengths), torch.zeros_like(starts)
    diagonal: list[Tensor] = []
    beside = [torch.zeros_like(lengths)]
    for _ in range(steps):
        image = product(vectors).double() - before * beside[-1]
        diagonal.append((vectors * image).sum(dim=0))
        yield _quadrature(diagonal, beside[1:], lengths)
        image -= vectors * diagonal[-1]
        norms = torch.linalg.vector_norm(image, dim=0)
        beside.append(torch.where(norms > BREAKDOWN, norms, 0.0))
        vectors, before = _unit(image, beside[-1]), vectors


def _quadrature(diagonal: list[Tensor], beside: list[Tensor], lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Gauss quadrature of tridiagonal matrices, by their eigenvectors' first entries (Golub, Welsch 1969)."""
    matrices = torch.diag_embed(torch.stack(diagonal, dim=1))  # (p, k, k)
    if beside:
        off = torch.stack(beside, dim=1)
        matrices += torch.diag_embed(off, 1) + torch.diag_embed(off, -1)
    nodes, vectors = torch.linalg.eigh(matrices)
    return nodes, vectors[:, 0].square() * lengths.square().unsqueeze(1)


def _next_block(images: Tensor, basis: Tensor) -> Tensor:
    """Orthonormal directions (n, p) that the images add to a basis; p = 0 when it holds them already."""
    directions, sizes, _ = torch.linalg.svd(_orthogonal(images, basis), full_matrices=False)
    fresh = _orthogonal(directions[:, sizes > BREAKDOWN], basis)  # twice is enough
    return torch.linalg.qr(fresh)[0]


def _unit(vectors: Tensor, lengths: Tensor) -> Tensor:
    """Columns over their lengths; 0 where there is no length: the rest of that Krylov space is empty."""
    return torch.where(lengths > 0, vectors / lengths.clamp(min=torch.finfo(lengths.dtype).tiny), 0.0)


def _orthogonal(vectors: Tensor, basis: Tensor) -> Tensor:
    """What is left of the columns (n, p) beside the columns of a basis (n, m)."""
    return vectors - basis @ (basis.T @ vectors)
