"""The numbers of a screening: of every measure that is asked for, the one that figures show of a layer."""

from __future__ import annotations

from layerscope.config import Config
from layerscope.errors import UsageError
from layerscope.plotting.matrix.quantities import QUANTITIES
from layerscope.plotting.quantity import Quantity


def screened_quantities(config: Config) -> dict[str, Quantity]:
    """Name → quantity, of the measures of the config.

    Raises
    ------
    UsageError
        A measure that has no single number for a layer's features, or none at all.
    """
    wanted = config.measurements.selected
    found = {name: quantity for name, quantity in QUANTITIES.items() if quantity.table in wanted}
    known = sorted({quantity.table for quantity in QUANTITIES.values()})
    if odd := [name for name in wanted if name not in known]:
        raise UsageError(
            f"Measurements.measures: a screening compares one number of a layer, and {', '.join(odd)} has "
            f"none; choose some of {', '.join(known)}"
        )
    if not found:
        raise UsageError(f"Measurements.measures names nothing to compare; choose some of {', '.join(known)}")
    return found
