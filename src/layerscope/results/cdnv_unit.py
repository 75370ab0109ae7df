"""The unit of CDNV, which tells the exponent of the distances."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import Series

PURE = "1"
_POWER = "feature^"
_SQUARES = "feature^2"  # of traces and spectra; no CDNV, whose exponent is above 0


def cdnv_unit(exponent: float) -> str:
    r"""``feature^p``, p = 2 - 2β, of :math:`(v_i + v_j) / (2 |\mu_i - \mu_j|^{2\beta})`; ``1`` for β = 1."""
    return PURE if exponent == 1 else f"{_POWER}{2 - 2 * exponent:.12g}"


def exponent_of(unit: str) -> float:
    """The exponent β of values in this unit of CDNV; 1 for a unit that is none of CDNV."""
    other = unit == _SQUARES or not unit.startswith(_POWER)
    return 1.0 if other else 1 - float(unit.removeprefix(_POWER)) / 2


def are_pure(units: Series) -> Series:
    """Which units are those of pure numbers; pandas reads a column of nothing else as numbers."""
    return units.astype(str).isin((PURE, "1.0"))
