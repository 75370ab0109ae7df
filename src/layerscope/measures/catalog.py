"""Versions of the measures, readable without torch."""

VERSIONS: dict[
    str, int
] = {  # raised whenever a measure's numbers change, so that old rows are computed again
    "Accuracy": 1,
    "Traces": 1,
    "CDNV": 1,
    "NC1": 1,
    "ETF": 1,
    "NCC": 1,
    "WeightSVs": 1,
    "AngleBetweenSubspaces": 1,
}
