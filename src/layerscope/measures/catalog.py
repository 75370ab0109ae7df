"""Versions of the measures, readable without torch."""

VERSIONS: dict[
    str, int
] = {  # raised when numbers or columns of a measure change: old rows are computed again
    "Accuracy": 2,
    "Traces": 2,
    "CDNV": 2,
    "NC1": 2,
    "ETF": 2,
    "NCC": 2,
    "WeightSVs": 2,
    "AngleBetweenSubspaces": 2,
    "GNC2": 1,
    "ClassifierETF": 1,
    "SelfDuality": 1,
    "WeightRanks": 1,
    "NCLayer": 1,
    "MLPSVD": 1,
}
