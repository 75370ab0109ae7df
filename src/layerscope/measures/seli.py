"""Distance from the geometry that imbalanced classes should take."""

from __future__ import annotations

import math
from collections.abc import Iterator

from layerscope.functional.seli import seli_error, seli_grams
from layerscope.measures.base import (
    CheckpointStatistics,
    Need,
    Subject,
    Value,
    because,
    each_split,
    weights_subject,
)
from layerscope.measures.classifier import class_rows, classifier_of
from layerscope.measures.train_counts import train_counts


class SELI:
    """Error of the last layer from the simplex-encoded-labels interpolation of the training class sizes.

    Qualifier ``vectors``: ``weights`` (rows of the classifier minus their mean; split ``weights``) or
    ``means`` (class means of the last tapped layer minus their mean). For balanced classes it is the
    ``etf_error``. Undefined when a class has no training sample or all vectors coincide; degenerate for two
    classes, where it is always 0; skipped when the train split is not measured, and for a last layer that is
    not linear.
    """

    name = "SELI"
    qualifiers = ("vectors",)
    needs = Need.MOMENTS | Need.DECISIONS

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """One value for the classifier, and one per split."""
        entry, rows = classifier_of(statistics)[0], class_rows(statistics)
        counts = train_counts(statistics)
        grams = None if counts is None or bool((counts == 0).any()) else seli_grams(counts)
        error = math.nan if rows is None or grams is None else seli_error(rows, grams[1])
        skipped = rows is None or counts is None
        trivial = because(two_classes=counts is not None and len(counts) == 2)
        place = {"vectors": "weights"}
        yield weights_subject(entry), Value(place, error, "skipped" if skipped else "", reason=trivial)
        for subject, tapped, _, moments in each_split(statistics):
            if tapped is not entry:
                continue
            present = moments.present.cpu()
            error = math.nan
            if grams is not None:
                error = seli_error(moments.means.cpu(), grams[0][present][:, present])
            status = "skipped" if counts is None else ""
            yield subject, Value({"vectors": "means"}, error, status, reason=trivial)
