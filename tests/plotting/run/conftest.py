"""Frames of every table there is, as the measures write them, from one made-up number per place."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import pandas as pd
import pytest

from layerscope.plotting.run_tables import LOG, OBSERVATIONS

Value = Callable[[float, float], float]
"""Depth and progress, both in [0, 1], to a number."""

SPLITS = ("train", "test")


def smooth(depth: float, progress: float) -> float:
    return 0.02 + 0.9 * math.exp(-3 * depth * progress)


def by(**qualifiers: Sequence[object]) -> list[dict[str, object]]:
    """Every combination of values of the qualifiers."""
    return [dict(zip(qualifiers, one, strict=True)) for one in itertools.product(*qualifiers.values())]


def _etf(**more: Sequence[object]) -> list[dict[str, object]]:
    return by(**more, statistic=["equinorm", "equiangular", "equiangular_std", "etf_error", "etf_floor"])


def _spectrum(size: int) -> dict[str, Sequence[object]]:
    return {"sigma_index": range(size), "scale": ["absolute", "relative", "cumulative"]}


def _estimates(variable: str = "variable", **more: Sequence[object]) -> list[dict[str, object]]:
    return by(**{variable: ["labels", "inputs"]}, **more, n=[200, 400])


def at_every_layer(classes: int) -> dict[str, list[dict[str, object]]]:
    """Table → qualifiers of its rows at a layer."""
    few = range(min(classes, 10))
    return {
        "CDNV": by(statistic=["mean", "median", "max"]),
        "CDNVPairs": [{"class": i, "other": j} for i, j in itertools.combinations(few, 2)],
        "Traces": by(trace=["within", "between", "sum"], scale=["absolute", "relative"]),
        "NC1": by(statistic=["pinv", "svd", "quotient", "range_fraction"]),
        "VCI": by(statistic=["vci"]),
        "ETF": _etf(),
        "GNC2": by(kernel=["dist", "log", "riesz", "riesz_1"], statistic=["mean", "variance"]),
        "AngleBetweenSubspaces": by(rank=[classes - 1]),
        "NCC": by(statistic=["accuracy", "agreement"]),
        "ActivationStableRank": by(statistic=["mean", "pooled"], **{"class": [-1]}),
        "ActivationCovSVs": by(kind=["within", "between", "total"], **{"class": [-1]}, **_spectrum(5)),
        "MLPSVD": by(against=["mean", "vector"], weight_vector=range(6), class_vector=few),
        "DSE": by(
            statistic=["entropy", "matrix_entry", "adjacency", "adjacency_knn"],
            alpha=["0"],
            t=["1", "2"],
            n=[200, 400],
        ),
        "DSMI": _estimates(statistic=["full", "matched", "label_entropy"], t=["1"]),
        "BinnedMI": by(
            binning=["minmax:30", "per_unit:2"], statistic=["labels", "inputs", "label_entropy"], n=[400]
        ),
        "KSG": _estimates(components=["8"]),
        "GaussianMI": _estimates(statistic=["value", "unbiased"], components=["8"]),
        "LatentMI": _estimates(),
        "ClassMI": by(
            estimator=["ksg", "dsmi"], variable=["labels"], t=["1"], **{"class": few}, n=[400], unit=["nat"]
        ),
        "Drift": by(statistic=["norm", "relative", "gap", "etf"], **{"class": [-1, 0]}),
        "MinorityCollapse": by(
            vectors=["means"],
            statistic=["tail_cosine", "head_cosine", "head_tail_cosine", "norm_ratio"],
            rule=["thirds", "shots"],
        ),
    }


def at_the_last_layer(classes: int) -> dict[str, list[dict[str, object]]]:
    """Table → qualifiers of its rows at the last layer of every split."""
    return {
        "SelfDuality": by(
            statistic=["frobenius", "etf", "uniform_variance", "uniform_variation", "cosine", "bias"]
        ),
        "SELI": by(vectors=["means"]),
        "DiscreteMI": by(
            statistic=["information", "label_entropy", "agreement", "label_agreement"], **{"class": [-1, 0]}
        ),
        "Drift": by(statistic=["prior_slope", "prior_r2"], **{"class": [-1]}),
        "Accuracy": by(quantity=["accuracy", "loss"]),
        "NCLayer": by(statistic=["first", "persistent"]),
        "GroupAccuracy": by(group=["overall", "balanced", "head", "mid", "tail"], rule=["thirds"]),
        "ClassRecall": [{"class": c, "train_samples": 5 * (classes - c)} for c in range(classes)],
    }


def of_pairs() -> dict[str, list[dict[str, object]]]:
    """Table → qualifiers of its rows at a layer of the test split."""
    return {
        "PairedMI": by(estimator=["ksg", "gaussian"], components=["8"], n=[400]),
        "PairedLatentMI": by(variable=["pairs"], n=[400]),
    }


def of_weights() -> dict[str, list[dict[str, object]]]:
    """Table → qualifiers of its rows at a layer's weight."""
    ranks = [f"approximate_rank_{q}" for q in (0.9, 0.97, 0.99)]
    ranks += [f"cutoff_rank_{t}" for t in ("0.03", "0.01", "0.001", "0.0001")]
    ranks += ["stable_rank", "effective_rank", "participation_ratio", "nuclear_rank", "nuclear_frobenius"]
    return {"WeightSVs": by(**_spectrum(6)), "WeightRanks": by(statistic=ranks)}


def of_the_classifier() -> dict[str, list[dict[str, object]]]:
    """Table → qualifiers of its rows at the classifier's weight."""
    statistics = ["tail_cosine", "head_cosine", "head_tail_cosine", "norm_ratio"]
    return {
        "ClassifierETF": _etf(rows=["raw", "centered"]),
        "MinorityCollapse": by(vectors=["weights"], statistic=statistics, rule=["thirds"]),
        "SELI": by(vectors=["weights"]),
        "Drift": by(statistic=["weight_norm"], **{"class": [-1]}),
    }


def every_table(
    names: Sequence[str],
    epochs: Sequence[int],
    *,
    classes: int = 10,
    value: Value = smooth,
    status: str = "ok",
    splits: Sequence[str] = SPLITS,
) -> dict[str, pd.DataFrame]:
    """Name → frame of every table, the training log and the observations."""
    last = len(names) - 1
    places = (
        (at_every_layer(classes), splits, range(len(names))),
        (at_the_last_layer(classes), splits, [last]),
        (of_pairs(), ["test"], range(len(names))),
        (of_weights(), ["weights"], range(len(names))),
        (of_the_classifier(), ["weights"], [last]),
        ({"NC5": by(statistic=["orthogonality"])}, ["ood"], range(len(names))),
    )
    parts: dict[str, list[pd.DataFrame]] = {}
    for tables, at, layers in places:
        place = _places(at, layers, names, epochs, value)
        for name, qualifiers in tables.items():
            parts.setdefault(name, []).append(place.merge(pd.DataFrame(qualifiers), how="cross"))
    common = {"error": 0.05, "ceiling": 1.5, "status": status, "classes": classes}
    frames = {name: pd.concat(found, ignore_index=True).assign(**common) for name, found in parts.items()}
    return {**frames, LOG: _log(max(epochs)), OBSERVATIONS: _observations(names, max(epochs))}


def _places(
    splits: Sequence[str], layers: Sequence[int], names: Sequence[str], epochs: Sequence[int], value: Value
) -> pd.DataFrame:
    """Epoch, split and layer with their number."""
    columns = ["epoch", "split", "layer_index"]
    frame = pd.DataFrame(list(itertools.product(epochs, splits, layers)), columns=columns)
    frame["layer_name"] = [names[index] for index in frame["layer_index"]]
    last = max(*epochs, 1)
    frame["value"] = [
        value((index + 1) / len(names), epoch / last)
        for index, epoch in zip(frame["layer_index"], frame["epoch"], strict=True)
    ]
    return frame


def _log(last: int) -> pd.DataFrame:
    epochs = range(last + 1)
    columns = {f"{split}_{what}" for split in (*SPLITS, "validation") for what in ("loss", "accuracy")}
    return pd.DataFrame(
        {"epoch": epochs, **{name: [smooth(1, e / max(last, 1)) for e in epochs] for name in columns}}
    )


def _observations(names: Sequence[str], last: int) -> pd.DataFrame:
    found = [("gradient_norm", "", statistic) for statistic in ("mean", "std", "min", "max")]
    found += [
        ("activations", name, statistic) for name in names for statistic in ("mean", "std", "min", "max")
    ]
    return pd.DataFrame(
        [
            {
                "epoch": epoch,
                "step": math.nan,
                "quantity": what,
                "layer_name": name,
                "statistic": one,
                "value": 0.5,
            }
            for epoch in range(1, max(last, 1) + 1)
            for what, name, one in found
        ]
    )


@pytest.fixture(scope="session", name="every_table")
def _every_table() -> Callable[..., dict[str, pd.DataFrame]]:
    """The function above, since tests cannot import it."""
    return every_table
