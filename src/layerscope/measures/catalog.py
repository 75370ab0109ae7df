"""Versions of the measures, readable without torch."""

VERSIONS: dict[
    str, int
] = {  # raised when numbers or columns of a measure change: old rows are computed again
    "Accuracy": 4,
    "Traces": 4,
    "CDNV": 4,
    "NC1": 4,
    "ETF": 4,
    "NCC": 4,
    "WeightSVs": 3,
    "AngleBetweenSubspaces": 4,
    "GNC2": 3,
    "ClassifierETF": 3,
    "SelfDuality": 3,
    "WeightRanks": 2,
    "NCLayer": 3,
    "MLPSVD": 3,
    "GroupAccuracy": 1,
    "ClassRecall": 1,
    "Drift": 2,
    "MinorityCollapse": 2,
    "SELI": 2,
    "ActivationCovSVs": 3,
    "VCI": 2,
    "NC5": 2,
    "ActivationStableRank": 3,
    "DSE": 3,
    "DSMI": 3,
    "BinnedMI": 1,
    "KSG": 3,
    "GaussianMI": 3,
    "LatentMI": 3,
    "DiscreteMI": 2,
    "JointPMF": 2,
    "PairedMI": 3,
    "PairedLatentMI": 3,
    "ClassMI": 2,
    "CDNVPairs": 1,
}

SAMPLED = frozenset({"DSE", "DSMI", "BinnedMI", "KSG", "GaussianMI", "LatentMI"}) | {
    *("ClassMI", "PairedMI", "PairedLatentMI")
}
"""Measures computed from a sample of each split, so that its size and draw change their rows."""

OWN_ERRORS = frozenset({"LatentMI", "PairedLatentMI"})
"""Measures whose errors come from their own two halves and not from ``Measurements.repeats``."""

RESAMPLED = SAMPLED | {"DiscreteMI"}
"""Measures that are also estimated from parts of what they are measured on."""

OF_PAIRS = frozenset({"DiscreteMI", "JointPMF", "PairedMI", "PairedLatentMI"})
"""Measures of pairs of test and train images."""

BY_MEMORY = frozenset({"ActivationCovSVs", "ActivationStableRank", "VCI"})
"""Measures that are exact from features that are kept, and estimates where the memory is too small."""

OF_EXPONENT = frozenset({"CDNV", "CDNVPairs"})
"""Measures that ``Measurements.cdnv-exponent`` changes."""

OF_OTHER_IMAGES = frozenset({"NC5"})
"""Measures that look at the out-of-distribution set, too."""
