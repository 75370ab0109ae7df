"""Mergeable accumulators over (features, labels), usable from anybody's training loop."""

from layerscope.statistics.class_moments import ClassMoments
from layerscope.statistics.class_scatter import DirectionalScatter
from layerscope.statistics.decisions import Decisions
from layerscope.statistics.nearest_center import NearestCenter

__all__ = ["ClassMoments", "Decisions", "DirectionalScatter", "NearestCenter"]
