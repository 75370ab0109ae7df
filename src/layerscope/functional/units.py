"""Nats inside, nats or bits outside."""

from __future__ import annotations

import math
from typing import Literal, TypeVar

from torch import Tensor

Units = Literal["nats", "bits"]
Amount = TypeVar("Amount", float, Tensor)


def in_units(nats: Amount, units: Units) -> Amount:
    """Nats, one number or many, in other units; bits are nats over ln 2.

    Raises
    ------
    ValueError
        Unknown units.
    """
    if units not in ("nats", "bits"):
        raise ValueError(f"units must be 'nats' or 'bits', not {units!r}")
    return nats / math.log(2) if units == "bits" else nats
