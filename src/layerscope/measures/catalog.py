"""Versions of the measures, readable without torch."""

VERSIONS: dict[
    str, int
] = {  # raised when numbers or columns of a measure change: old rows are computed again
    "Accuracy": 4,
    "Traces": 3,
    "CDNV": 3,
    "NC1": 3,
    "ETF": 3,
    "NCC": 3,
    "WeightSVs": 3,
    "AngleBetweenSubspaces": 3,
    "GNC2": 2,
    "ClassifierETF": 2,
    "SelfDuality": 2,
    "WeightRanks": 2,
    "NCLayer": 2,
    "MLPSVD": 2,
    "GroupAccuracy": 1,
    "ClassRecall": 1,
    "Drift": 1,
    "MinorityCollapse": 1,
    "SELI": 1,
    "ActivationCovSVs": 2,
    "VCI": 1,
    "NC5": 1,
    "ActivationStableRank": 2,
    "DSE": 3,
    "DSMI": 3,
    "BinnedMI": 1,
    "KSG": 2,
    "GaussianMI": 3,
    "LatentMI": 2,
    "DiscreteMI": 2,
    "JointPMF": 2,
    "PairedMI": 2,
    "PairedLatentMI": 3,
    "ClassMI": 2,
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

OF_OTHER_IMAGES = frozenset({"NC5"})
"""Measures that look at the out-of-distribution set, too."""
