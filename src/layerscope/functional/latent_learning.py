"""Learning the latent spaces of several pairs of blocks at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from layerscope.functional.latent_alignment import alignments
from layerscope.functional.latent_encoder import LatentEncoder
from layerscope.functional.latent_inputs import Projection, projection
from layerscope.functional.latent_networks import Stack, Start, Widths, initial_stack, pad_to
from layerscope.functional.latent_training import Curves, Examples, LatentSettings, train_stack
from layerscope.functional.reduced_rank import reduced_rank_regression

Pair = tuple[Tensor, Tensor]


@dataclass(frozen=True, eq=False)
class Learnt:
    """What was learnt of one pair of blocks.

    Attributes
    ----------
    encoders : tuple of LatentEncoder
        Of x and, unless y are labels, of y.
    curves : Curves
        Of their networks.
    """

    encoders: tuple[LatentEncoder, ...]
    curves: Curves


def learn_latents(
    pairs: Sequence[Pair], train: Tensor, held_out: Tensor, settings: LatentSettings, seed: int
) -> list[Learnt]:
    """Learn from the samples ``train`` of every pair; those held out stop it early."""
    networks = _networks(pairs, train, settings.components, seed)
    every = [network for group in networks for network in group]
    stack = initial_stack([network.start(train, settings) for network in every], train.device)
    examples = _examples(every)
    best, curves = train_stack(stack, examples.take(train), examples.take(held_out), settings, seed)
    ends = torch.tensor([len(group) for group in networks]).cumsum(0).tolist()
    return [
        Learnt(
            _aligned(best, range(end - len(group), end), group, pair, train),
            curves.of(slice(end - len(group), end)),
        )
        for end, group, pair in zip(ends, networks, pairs, strict=True)
    ]


def are_labels(y: Tensor) -> bool:
    """Whether a block is one of labels (N,), integers."""
    return y.ndim == 1 and not y.is_floating_point() and y.dtype != torch.bool


@dataclass(frozen=True, eq=False)
class _Side:
    """One block of a pair, and its coordinates (N, c), float32."""

    projection: Projection
    coordinates: Tensor


@dataclass(frozen=True, eq=False)
class _Network:
    """The network that compresses ``own`` so that it tells of ``both``."""

    own: _Side
    both: tuple[_Side, _Side]
    seed: int

    @property
    def targets(self) -> Tensor:
        """Coordinates of both blocks (N, c_x + c_y)."""
        return torch.cat([side.coordinates for side in self.both], dim=1)

    @property
    def weights(self) -> Tensor:
        """Of the squared errors (c_x + c_y,): each block's total variance counts as 1."""
        shares = [torch.full_like(side.coordinates[0], 1 / side.projection.spread) for side in self.both]
        return torch.cat(shares)

    def start(self, train: Tensor, settings: LatentSettings) -> Start:
        """Where it starts: at the best linear map."""
        inputs, targets = self.own.coordinates[train], self.targets[train]
        encoder, decoder = reduced_rank_regression(inputs, targets, self.weights, settings.dims)
        widths = Widths(inputs.shape[1], settings.dims, targets.shape[1], settings.hidden)
        return Start(widths, self.seed, encoder, decoder)


def _networks(pairs: Sequence[Pair], train: Tensor, components: int, seed: int) -> list[tuple[_Network, ...]]:
    """The networks of x and y of every pair; of x alone where y are labels, which need none."""
    blocks = [block for x, y in pairs for block in (x, _features(y))]
    sides = _sides(blocks, train, components)
    found = []
    for (_, y), both in zip(pairs, zip(sides, sides, strict=True), strict=True):
        owners = both[:1] if are_labels(y) else both
        found.append(tuple(_Network(own, both, 2 * seed + n) for n, own in enumerate(owners)))
    return found


def _sides(blocks: Sequence[Tensor], train: Tensor, components: int) -> Iterator[_Side]:
    """The coordinates of every block; those of equal ones, as of the images for every layer, found once."""
    known: list[tuple[Tensor, _Side]] = []
    for block in blocks:
        side = next((side for other, side in known if torch.equal(other, block)), None)
        if side is None:
            seen = projection(block[train], components)
            side = _Side(seen, seen(block).float())
            known.append((block, side))
        yield side


def _examples(networks: Sequence[_Network]) -> Examples:
    """Inputs, targets and weights of all networks, padded to a common width."""
    return Examples(
        _stacked([network.own.coordinates for network in networks]),
        _stacked([network.targets for network in networks]),
        _stacked([network.weights.unsqueeze(0) for network in networks]),
    )


def _stacked(matrices: Sequence[Tensor]) -> Tensor:
    columns = max(matrix.shape[1] for matrix in matrices)
    return torch.stack([pad_to(matrix, len(matrix), columns) for matrix in matrices])


def _aligned(
    best: Stack, places: range, networks: tuple[_Network, ...], pair: Pair, train: Tensor
) -> tuple[LatentEncoder, ...]:
    """One pair's networks at their best, aligned on the samples that they were trained on."""
    encoders = tuple(
        LatentEncoder(network.own.projection, best.take(place))
        for place, network in zip(places, networks, strict=True)
    )
    latents = [encode(block[train]) for encode, block in zip(encoders, pair, strict=False)]
    other = latents[1] if len(latents) > 1 else _features(pair[1])[train]
    found = alignments(latents[0], other)
    return tuple(replace(encode, alignment=each) for encode, each in zip(encoders, found, strict=False))


def _features(y: Tensor) -> Tensor:
    """Features as they are; labels as one column each."""
    if not are_labels(y):
        return y
    _, member = torch.unique(y, return_inverse=True)
    return F.one_hot(member).double()
