"""NC3 at the classifier: do its rows point where the class means lie?"""

from __future__ import annotations

import math
from collections.abc import Iterator

from torch import nn

from layerscope.functional.duality import (
    bias_collapse,
    self_duality_etf,
    self_duality_frobenius,
    uniform_duality,
)
from layerscope.functional.simplex import directionless
from layerscope.measures.base import (
    CheckpointStatistics,
    LayerStatistics,
    Need,
    Subject,
    Value,
    because,
    class_weights_of,
    each_split,
)
from layerscope.measures.classifier import classifier_of, reads_features
from layerscope.statistics.class_moments import ClassMoments

STATISTICS = (
    *("frobenius", "etf", "etf_centered", "uniform_variance", "uniform_variation"),
    *("uniform_cosine_variance", "cosine", "bias", "directionless"),
)

_COSINES = ("uniform_cosine_variance", "cosine")
"""Statistics that leave out means without a direction."""


class SelfDuality:
    r"""The last layer's weight W against the centred class means M that it reads.

    Qualifier ``statistic``: ``frobenius`` (|W/|W| - M/|M||², 0 whenever W = aM), ``etf`` (|WMᵀ/|WMᵀ| -
    ETF|, 0 only if M is an ETF, too), ``etf_centered`` (the same with W minus its mean row),
    ``uniform_variance``, ``uniform_variation`` and ``uniform_cosine_variance`` (spread over classes of
    <w_c, m_c>, the same over its mean, and of the cosine), ``cosine`` (mean of cos(w_c, m_c)), ``bias``
    (|Wμ + b|), ``directionless`` (number of means that equal the centre). The last tapped layer is taken;
    skipped when it is not linear or does not read the features as they were tapped. Degenerate when the
    rounding of the features alone could make the means differ; the cosines also when one mean equals the
    centre, ``etf_centered`` also with two classes, where it is 0 or 2 by a sign.
    """

    name = "SelfDuality"
    qualifiers = ("statistic",)
    needs = Need.MOMENTS

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Nine values per split, at the last layer."""
        last, module = classifier_of(statistics)
        for subject, entry, _, moments in each_split(statistics):
            if entry is not last:
                continue
            if module is None or not _meets(last, module, moments):
                for statistic in STATISTICS:
                    yield subject, Value({"statistic": statistic}, math.nan, "skipped")
                continue
            for value in _values(module, moments, statistics):
                yield subject, value


def _meets(entry: LayerStatistics, module: nn.Linear, moments: ClassMoments) -> bool:
    return reads_features(entry, module) and module.out_features == moments.num_classes


def _values(module: nn.Linear, moments: ClassMoments, statistics: CheckpointStatistics) -> Iterator[Value]:
    means, center = moments.means, class_weights_of(moments, statistics).center
    weight = module.weight.detach().double()[moments.present]
    bias = None if module.bias is None else module.bias.detach()[moments.present]
    precision = moments.reference.dtype
    uniform = uniform_duality(weight, means, center, precision=precision)
    pointless = directionless(means, center, precision=precision)
    lost = pointless == len(means)
    found = {
        "frobenius": self_duality_frobenius(weight, means, center),
        "etf": self_duality_etf(weight, means, center),
        "etf_centered": self_duality_etf(weight, means, center, center_weight=True),
        "uniform_variance": uniform.variance,
        "uniform_variation": uniform.variation,
        "uniform_cosine_variance": uniform.cosine_variance,
        "cosine": uniform.cosine_mean,
    }
    for statistic, value in found.items():
        unit = "logit^2" if statistic == "uniform_variance" else "1"
        reason = because(
            rounding=lost,
            directionless=pointless > 0 and statistic in _COSINES,
            two_classes=len(means) == 2 and statistic == "etf_centered",
        )
        yield Value({"statistic": statistic}, value, unit=unit, reason=reason)
    yield Value({"statistic": "bias"}, bias_collapse(weight, bias, center @ means), unit="logit")
    yield Value({"statistic": "directionless"}, float(pointless), unit="count")
