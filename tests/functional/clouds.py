"""Clouds of points whose diffusion entropies are known, and random ones."""

import math

import torch
from constructions import random_rotation
from hypothesis import strategies as st


def cloud(seed, count=12, dim=3):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, dim, generator=generator, dtype=torch.float64)


def far_groups(*sizes, dim=4):
    """Groups of equal points, a thousand apart."""
    places = 1000.0 * torch.eye(max(len(sizes), dim), dtype=torch.float64)[: len(sizes)]
    return places.repeat_interleave(torch.tensor(sizes), dim=0)


def far_labels(*sizes):
    return torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))


def moved(change, points, seed):
    """The same cloud in other coordinates or another order."""
    generator = torch.Generator().manual_seed(seed)
    if change == "rotate":
        return points @ random_rotation(points.shape[1], seed)
    if change == "shift":
        return points + 100 * torch.randn(points.shape[1], generator=generator, dtype=torch.float64)
    if change == "pad":
        return torch.cat([points, points.new_zeros(len(points), 1 + seed % 3)], dim=1)
    if change == "repeat":
        return points.repeat(3, 1)
    assert change == "reorder"
    return points[torch.randperm(len(points), generator=generator)]


MOVES = ["rotate", "shift", "pad", "repeat", "reorder"]
clouds = st.builds(cloud, st.integers(0, 10_000), st.integers(2, 15), st.integers(1, 5))


def torus(count, dims):
    """A grid of count**dims points on a product of circles of radius 1, in 2 dims dimensions."""
    angles = torch.arange(count, dtype=torch.float64) * (2 * math.pi / count)
    grid = torch.cartesian_prod(*[angles] * dims).reshape(-1, dims)
    return torch.cat([grid.cos(), grid.sin()], dim=1)
