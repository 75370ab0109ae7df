"""A pseudo-random order of samples that depends on nothing but their indices and a seed."""

from __future__ import annotations

from torch import Tensor

_MASK = (1 << 64) - 1


def priorities(indices: Tensor, seed: int) -> Tensor:
    """A pseudo-random int64 for every index (SplitMix64): distinct for distinct indices."""
    state = indices + _signed(0x9E3779B97F4A7C15 * (seed + 1))
    state = (state ^ _shifted(state, 30)) * _signed(0xBF58476D1CE4E5B9)
    state = (state ^ _shifted(state, 27)) * _signed(0x94D049BB133111EB)
    return state ^ _shifted(state, 31)


def _shifted(values: Tensor, bits: int) -> Tensor:
    """Logical shift to the right of int64 taken as unsigned."""
    return (values >> bits) & ((1 << (64 - bits)) - 1)


def _signed(number: int) -> int:
    """The int64 of the same 64 bits."""
    number &= _MASK
    return number - (1 << 64) if number >> 63 else number
