"""Stacks of small networks that compress one block of features so that it tells about itself and another."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

SLOPE = 0.2  # of the leaky rectifier


@dataclass(frozen=True)
class Widths:
    """Sizes of one network: coordinates in, latent dimensions, coordinates out, hidden units."""

    inputs: int
    latents: int
    outputs: int
    hidden: int


@dataclass(frozen=True, eq=False)
class Start:
    """Where one network starts: at a linear map, to which its perceptrons add nothing at first.

    Attributes
    ----------
    widths : Widths
    seed : int
        Of the perceptrons' weights (He); those of their last layers are 0.
    encoder, decoder : Tensor (inputs, m), (m, outputs)
        The linear maps to the first m of the latents and back. Latents beyond do not vary at first.
    """

    widths: Widths
    seed: int
    encoder: Tensor
    decoder: Tensor


@dataclass(frozen=True, eq=False)
class Stack:
    """S autoencoders of one shape side by side: a step of all of them is a few batched products.

    Encoder and decoder are each a linear map plus a perceptron of two hidden layers.

    Attributes
    ----------
    weights, biases : list of Tensor (S, in, out) and (S, 1, out), float32
        Linear map and three layers of the encoder, then those of the decoder.
    """

    weights: list[Tensor]
    biases: list[Tensor]

    @property
    def parameters(self) -> list[Tensor]:
        """All tensors that are learnt."""
        return [*self.weights, *self.biases]

    def encode(self, inputs: Tensor) -> Tensor:
        """Latents (S, n, d) of inputs (S, n, c)."""
        return _residual(inputs, self.weights[:4], self.biases[:4])

    def decode(self, latents: Tensor) -> Tensor:
        """Reconstructions (S, n, outputs) from latents (S, n, d)."""
        return _residual(latents, self.weights[4:], self.biases[4:])

    def copy(self) -> Stack:
        """The same numbers in tensors of their own, without a gradient."""
        return Stack(*([each.detach().clone() for each in part] for part in (self.weights, self.biases)))

    def take(self, place: int) -> Stack:
        """One of the networks, as a stack of one."""
        return Stack(
            *([each[place : place + 1].clone() for each in part] for part in (self.weights, self.biases))
        )

    def only(self, places: Tensor) -> Stack:
        """Some of the networks, to be trained on by themselves."""
        chosen = ([each.detach()[places] for each in part] for part in (self.weights, self.biases))
        return Stack(*([each.requires_grad_() for each in part] for part in chosen))

    def put(self, places: Tensor, other: Stack) -> None:
        """Take over the networks of ``other`` at these places (m,) of this stack."""
        with torch.no_grad():
            for mine, theirs in zip(self.parameters, other.parameters, strict=True):
                mine[places] = theirs


def initial_stack(starts: list[Start], device: torch.device) -> Stack:
    """Networks as they start, padded with zeros to a common shape."""
    drawn = [_initial(start) for start in starts]
    weights = [_padded([network[layer] for network in drawn]).to(device) for layer in range(8)]
    biases = [torch.zeros(len(weight), 1, weight.shape[2], device=device) for weight in weights]
    for tensor in (*weights, *biases):
        tensor.requires_grad_()
    return Stack(weights, biases)


def _initial(start: Start) -> list[Tensor]:
    """Weights (in, out) of one network, drawn on the CPU so that every device starts alike."""
    generator, width = torch.Generator().manual_seed(start.seed), start.widths
    shapes = [
        *_shapes(width.inputs, width.hidden, width.latents),
        *_shapes(width.latents, width.hidden, width.outputs),
    ]
    drawn = [torch.randn(shape, generator=generator) * math.sqrt(1 / shape[0]) for shape in shapes]
    drawn[0] = pad_to(start.encoder.float().cpu(), width.inputs, width.latents)
    drawn[3].zero_()
    drawn[4] = pad_to(start.decoder.float().cpu(), width.latents, width.outputs)
    drawn[7].zero_()
    return drawn


def _shapes(inputs: int, hidden: int, outputs: int) -> list[tuple[int, int]]:
    return [(inputs, outputs), (inputs, hidden), (hidden, hidden), (hidden, outputs)]


def _padded(weights: list[Tensor]) -> Tensor:
    rows, columns = (max(weight.shape[axis] for weight in weights) for axis in (0, 1))
    return torch.stack([pad_to(weight, rows, columns) for weight in weights])


def pad_to(matrix: Tensor, rows: int, columns: int) -> Tensor:
    """The matrix with zeros below and to the right."""
    return F.pad(matrix, (0, columns - matrix.shape[1], 0, rows - matrix.shape[0]))


def _residual(inputs: Tensor, weights: list[Tensor], biases: list[Tensor]) -> Tensor:
    straight = torch.baddbmm(biases[0], inputs, weights[0])
    hidden = inputs
    for weight, bias in zip(weights[1:3], biases[1:3], strict=True):
        hidden = F.leaky_relu(torch.baddbmm(bias, hidden, weight), SLOPE)
    return straight + torch.baddbmm(biases[3], hidden, weights[3])
