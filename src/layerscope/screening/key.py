"""What determines the rows of a network in a screening."""

from __future__ import annotations

import hashlib
import json

from layerscope.config.screening import Screening
from layerscope.files import content_digest
from layerscope.measurement.key import measurement_key
from layerscope.screening.candidates import Candidate

VERSION = 2
"""Raised when rows of the same settings become others."""


def screening_key(candidate: Candidate, screening: Screening) -> str:
    """Identity of a network's rows: its weights by content, how it is built, and every setting of numbers.

    Where a file lies makes no difference; published weights are told by the model's name alone.
    """
    assert candidate.model is not None
    config = screening.config.model_copy(update={"model": candidate.model})
    weights = "" if candidate.weights is None else content_digest(candidate.weights)
    settings = screening.settings
    keys = [measurement_key(config, name, weights) for name in config.measurements.selected]
    asked = [settings.accuracy, settings.inputs, settings.images, str(screening.taps_given)]
    content = [VERSION, *asked, *keys]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
