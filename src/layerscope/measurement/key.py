"""What determines a measured row, as a short text; readable without torch."""

from __future__ import annotations

import hashlib
import json

from layerscope.config import Config
from layerscope.files import content_digest
from layerscope.measures.catalog import (
    BY_MEMORY,
    OF_EXPONENT,
    OF_OTHER_IMAGES,
    OF_PAIRS,
    OWN_ERRORS,
    RESAMPLED,
    SAMPLED,
    VERSIONS,
)


def selected_measures(config: Config) -> tuple[str, ...]:
    """Measures that the config asks for and this version has, in the registry's order."""
    wanted = config.measurements.selected
    return tuple(name for name in VERSIONS if name in wanted)


def measurement_key(config: Config, measure: str, checkpoint_digest: str) -> str:
    """Identity of one measure's rows for one checkpoint.

    Rows are computed again when the checkpoint, the measure's version, the taps, or a setting that changes
    numbers differ. Batch size and device change results by rounding only, so they are not part of it; neither
    is memory, but for measures that it decides whether to estimate.
    """
    model, measurements = config.model, config.measurements
    settings: dict[str, object] = {
        "checkpoint": checkpoint_digest,
        "measure": measure,
        "version": VERSIONS[measure],
        "layers": model.embedding_layers if model.embedding_layers is True else list(model.embedding_layers),
        "tap": model.tap,
        "reduce": model.reduce,
        "splits": sorted(measurements.splits),
        "weighting": measurements.weighting,
        "precision": measurements.precision,
        "config": config.hash,
    }
    if measure in SAMPLED:
        settings["sample"] = measurements.sample
        settings["information"] = measurements.information.plain()
    if measure in RESAMPLED:
        repeats = 0 if measure in OWN_ERRORS else measurements.repeats
        settings["estimates"] = [repeats, list(measurements.n_grid)]
    if measure in OF_PAIRS:
        settings["pairs"] = [_pairs(config), measurements.information.units]
    if measure in BY_MEMORY:
        settings["memory"] = measurements.memory_bytes
    if measure in OF_EXPONENT and measurements.cdnv_exponent != 1:  # at 1 the key is that of older tables
        settings["exponent"] = measurements.cdnv_exponent
    if measure in OF_OTHER_IMAGES:
        settings["ood"] = None if config.data.ood is None else config.data.ood.plain()
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def _pairs(config: Config) -> dict[str, object]:
    """The settings of the pairs; weights of an encoder count by what the file holds, wherever it lies."""
    pairs = config.measurements.pairs
    if pairs.weights is None or not pairs.weights.is_file():
        return pairs.plain()
    return {**pairs.plain(), "weights": content_digest(pairs.weights)}
