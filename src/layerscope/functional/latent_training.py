"""Training a stack of latent networks: seeded, with every network stopped at its own best epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from layerscope.functional.adam import Adam
from layerscope.functional.latent_networks import Stack

BLOCK = 1024  # samples evaluated at a time; fixed, so that no setting changes the bits
STILL_GOING = (
    0.8  # share of the networks that are trained from which on copying those costs more than it saves
)
IMPROVEMENT = 1e-3  # relative fall of the validation loss that counts


@dataclass(frozen=True)
class LatentSettings:
    """How latent networks are built and trained.

    Attributes
    ----------
    dims : int
        Latent dimensions of each block; up to about 8 leave nearest neighbours near.
    components : int
        Principal components of each block that its network sees.
    hidden : int
        Units of each hidden layer.
    learning_rate : float
        Of Adam.
    batch_size, epochs, patience : int
        At most ``epochs``; a network is done after ``patience`` epochs without a better validation loss.
    """

    dims: int = 8
    components: int = 64
    hidden: int = 128
    learning_rate: float = 3e-3
    batch_size: int = 256
    epochs: int = 300
    patience: int = 10

    def __post_init__(self) -> None:
        for name in ("dims", "components", "hidden", "batch_size", "epochs", "patience"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be positive, not {self.learning_rate}")


@dataclass(frozen=True, eq=False)
class Examples:
    """What S networks are trained on, float32.

    Attributes
    ----------
    inputs : Tensor (S, n, c)
    targets : Tensor (S, n, outputs)
    weights : Tensor (S, 1, outputs)
        Of the squared errors; 0 for padding.
    """

    inputs: Tensor
    targets: Tensor
    weights: Tensor

    def take(self, rows: Tensor | slice) -> Examples:
        """Some samples."""
        return Examples(self.inputs[:, rows], self.targets[:, rows], self.weights)

    def only(self, networks: Tensor) -> Examples:
        """Those of some networks."""
        return Examples(self.inputs[networks], self.targets[networks], self.weights[networks])


@dataclass(frozen=True)
class Curves:
    """Losses of S networks: share of the variance that is not reconstructed, summed over the two blocks.

    Attributes
    ----------
    training, validation : Tensor (1 + epochs, S), float64
        Before the first epoch, then of every epoch, validation after it; NaN where a network was done and
        let go.
    best : Tensor (S,), int64
        Epoch whose weights were kept; 0 is the start.
    """

    training: Tensor
    validation: Tensor
    best: Tensor

    def of(self, networks: slice) -> Curves:
        """Those of some networks."""
        return Curves(self.training[:, networks], self.validation[:, networks], self.best[networks])


def train_stack(
    stack: Stack, train: Examples, held_out: Examples, settings: LatentSettings, seed: int
) -> tuple[Stack, Curves]:
    """Train ``stack`` in place; return each network as it was at its best epoch or the start, and losses.

    The best weights are copies, so that training on does not change them. Once enough networks are done, the
    others go on without them.
    """
    best, course = stack.copy(), _Course(train.inputs.shape[0], settings.patience, train.inputs.device)
    optimizer = Adam(stack.parameters, settings.learning_rate)
    generator = torch.Generator().manual_seed(seed)
    places = torch.arange(train.inputs.shape[0], device=train.inputs.device)
    course.add(places, stack_loss(stack, train), stack_loss(stack, held_out))
    for _ in range(settings.epochs):
        losses = [_step(stack, train.take(rows), optimizer) for rows in _batches(train, settings, generator)]
        better = course.add(places, torch.stack(losses).mean(dim=0), stack_loss(stack, held_out))
        best.put(places[better], stack.only(better))
        if course.done:
            break
        going = ~course.finished[places]
        if int(going.sum()) <= STILL_GOING * len(places):
            places, stack = places[going], stack.only(going)
            train, held_out = train.only(going), held_out.only(going)
            optimizer = optimizer.only(going, stack.parameters)
    return best, course.curves()


def stack_loss(stack: Stack, examples: Examples) -> Tensor:
    """Mean loss (S,) over samples, without a gradient, float64."""
    with torch.no_grad():
        count = examples.inputs.shape[1]
        blocks = [examples.take(slice(start, start + BLOCK)) for start in range(0, count, BLOCK)]
        sums = [_errors(stack, block).double().sum(dim=1) for block in blocks]
        return torch.stack(sums).sum(dim=0) / count


class _Course:
    """The losses so far, and which networks still improve."""

    def __init__(self, networks: int, patience: int, device: torch.device) -> None:
        self.patience = patience
        self.training: list[Tensor] = []
        self.validation: list[Tensor] = []
        self.lowest = torch.full((networks,), torch.inf, dtype=torch.float64, device=device)
        self.best = torch.zeros(networks, dtype=torch.int64, device=device)
        self.finished = torch.zeros(networks, dtype=torch.bool, device=device)

    def add(self, places: Tensor, training: Tensor, validation: Tensor) -> Tensor:
        """Note an epoch of the networks at some places (m,); return which of them are better than ever."""
        epoch = len(self.validation)
        self.training.append(torch.full_like(self.lowest, torch.nan).index_copy(0, places, training))
        self.validation.append(torch.full_like(self.lowest, torch.nan).index_copy(0, places, validation))
        better = (validation < self.lowest[places] * (1 - IMPROVEMENT)) & ~self.finished[places]
        self.lowest[places[better]] = validation[better]
        self.best[places[better]] = epoch
        self.finished |= epoch - self.best >= self.patience
        return better

    @property
    def done(self) -> bool:
        """Whether every network has stopped improving."""
        return bool(self.finished.all())

    def curves(self) -> Curves:
        return Curves(torch.stack(self.training), torch.stack(self.validation), self.best)


def _batches(train: Examples, settings: LatentSettings, generator: torch.Generator) -> Iterator[Tensor]:
    order = torch.randperm(train.inputs.shape[1], generator=generator)
    yield from torch.split(order.to(train.inputs.device), settings.batch_size)


def _step(stack: Stack, batch: Examples, optimizer: Adam) -> Tensor:
    losses = _errors(stack, batch).mean(dim=1)
    optimizer.step(torch.autograd.grad(losses.sum(), stack.parameters))
    return losses.detach().double()


def _errors(stack: Stack, examples: Examples) -> Tensor:
    """Weighted squared errors (S, n)."""
    found = stack.decode(stack.encode(examples.inputs))
    return ((found - examples.targets).square() * examples.weights).sum(dim=2)
