"""Nats inside, nats or bits outside."""

from __future__ import annotations

import math
from typing import Literal

Units = Literal["nats", "bits"]


def in_units(nats: float, units: Units) -> float:
    """A number of nats in other units; bits are nats over ln 2.

    Raises
    ------
    ValueError
        Unknown units.
    """
    if units not in ("nats", "bits"):
        raise ValueError(f"units must be 'nats' or 'bits', not {units!r}")
    return nats / math.log(2) if units == "bits" else nats
