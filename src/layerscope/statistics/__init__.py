"""Mergeable accumulators over (features, labels), usable from anybody's training loop."""

from layerscope.statistics.class_moments import ClassMoments
from layerscope.statistics.class_scatter import DirectionalScatter
from layerscope.statistics.decisions import Decisions
from layerscope.statistics.feature_sample import FeatureSample, Sampled
from layerscope.statistics.label_groups import LabelGroups, label_groups
from layerscope.statistics.nearest_center import NearestCenter
from layerscope.statistics.ood_mean import OutOfDistribution
from layerscope.statistics.stored_spectrum import load_spectrum, save_spectrum

__all__ = [
    "ClassMoments",
    "Decisions",
    "DirectionalScatter",
    "FeatureSample",
    "LabelGroups",
    "NearestCenter",
    "OutOfDistribution",
    "Sampled",
    "label_groups",
    "load_spectrum",
    "save_spectrum",
]
