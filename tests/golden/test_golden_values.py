"""Values of other implementations and of the definitions, on inputs made from a seed."""

import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import recipes
import torch
from torch import Tensor

from layerscope.functional import (
    activation_stable_rank,
    between_basis,
    cdnv,
    centered,
    class_alignment,
    equiangularity,
    equinorm,
    etf_error,
    kernel_stats,
    mean_norms,
    mean_products,
    nc1_pinv,
    nc1_quotient,
    nc1_svd,
    ood_orthogonality,
    row_spectrum,
    self_duality_error,
    similarities,
    spectrum,
    traces,
    weight_class_correlation,
    weight_equinorm,
    weight_means_correlation,
    weights_by,
)
from layerscope.statistics import (
    ClassMoments,
    Decisions,
    NearestCenter,
    OutOfDistribution,
)

GOLDEN = json.loads((Path(__file__).parent / "nc_values.json").read_text(encoding="utf-8"))
TOLERANCE = {torch.float64: 1e-8, torch.float32: 1e-4}
ZERO = {torch.float64: 1e-14, torch.float32: 1e-7}  # for what is exactly 0 in theory
SIZE = {  # eigenvalues that are 0 in theory, and cosines: what counts is their error, relative to 1
    "inc.ActivationCovSVs": {torch.float64: 1e-13, torch.float32: 1e-7},
    "inc.MLPSVD": {
        torch.float64: 0.0,
        torch.float32: 3e-4,
    },  # rounded input has other vectors: docs/measures.md
    "inc.ETF": {torch.float64: 1e-14, torch.float32: 1e-6},
    "inc.ETFTestset": {torch.float64: 1e-14, torch.float32: 1e-6},
}
BATCH = 97

# Collapsed features whose means are an exact, centred simplex ETF: all of these vanish.
ZERO_ON_SIMPLEX = {
    *("nc1_pinv", "nc1_svd", "nc1_quotient", "inc.NC1", "cdnv", "inc.CDNV", "inc.CDNVTestset"),
    *("nc1_pinv_sample_weighted_between", "nc1_quotient_sample_weighted_between"),
    *("simplex_etf_error", "equinorm_means", "equiangular_means", "maxangle_means", "global_mean_norm"),
    *("within_cov_trace", "within_cov_fro", "var_norms_mean", "var_norms_first", "var_norms_last"),
    *("inc.Traces-within", "inc.TracesTestset-within"),
    *(
        f"inc.ETF{split}-angle-{part}"
        for split in ("", "Testset")
        for part in ("mean abs", "std (population)")
    ),
    *("inc.ETF-norm-std (population)", "inc.ETFTestset-norm-std (population)"),
    *("cdnv_dist_exp2", "kernel_dist_var", "kernel_log_var", "kernel_riesz_var", "mean_norms_log_var"),
    *("mean_norms_std_unbiased", "nc3_papyan", "self_duality_error", "distance_norms_mean"),
    *("similarities_var_cos", "similarities_var_dot", "equinorm_weights", "global_mean_weighted_norm"),
}


@dataclass(frozen=True)
class Observed:
    """What the accumulators say after one pass over a golden input."""

    train: ClassMoments
    test: ClassMoments
    nearest: dict[str, NearestCenter]
    decisions: dict[str, Decisions]
    weights: Tensor
    features: Tensor
    labels: Tensor
    ood: Tensor | None
    ood_labels: Tensor | None

    def rows(self, label: int) -> Tensor:
        """Features of one class."""
        return self.features[self.labels == label]


def arrays_of(case: str) -> list[dict]:
    entry = GOLDEN["inputs"][case]
    made = getattr(recipes, entry["function"])(**entry["kwargs"])
    return made if isinstance(made, list) else [made]


def assert_fingerprints(case: str, layer: int | None, arrays: dict) -> None:
    prefix = "" if layer is None else f"layer{layer}."
    stored = GOLDEN["inputs"][case]["fingerprints"]
    for name in arrays.keys() - {"true_means"}:
        found, wanted = recipes.fingerprint(arrays[name]), stored[prefix + name]
        assert (found["shape"], found["dtype"]) == (wanted["shape"], wanted["dtype"]), name
        scale = math.sqrt(wanted["sumsq"] * math.prod(wanted["shape"]))
        for key in ("sum", "sumsq", "first", "last"):
            assert found[key] == pytest.approx(wanted[key], rel=1e-11, abs=1e-12 * scale), (name, key)


@cache
def observe(case: str, layer: int | None, dtype: torch.dtype) -> Observed:
    arrays = arrays_of(case)[layer or 0]
    assert_fingerprints(case, layer, arrays)
    classes = GOLDEN["inputs"][case]["K"]
    tensors = {
        name: torch.from_numpy(array).to(dtype if array.dtype.kind == "f" else torch.int64)
        for name, array in arrays.items()
    }
    dim, weights = tensors["features"].shape[1], tensors["weights"]
    batches = {
        split: list(
            zip(
                tensors[prefix + "features"].split(BATCH),
                tensors[prefix + "labels"].split(BATCH),
                strict=True,
            )
        )
        for split, prefix in (("train", ""), ("test", "test_"))
    }
    moments = {
        split: ClassMoments(classes, dim, scatter=split == "train", dtype=dtype)
        for split in ("train", "test")
    }
    for split, pairs in batches.items():
        for features, labels in pairs:
            moments[split].update(features, labels)
    train = moments["train"]
    nearest, decisions = {}, {}
    for split, pairs in batches.items():
        nearest[split] = NearestCenter(train.means, train.present, classes)
        decisions[split] = Decisions(classes)
        for features, labels in pairs:
            decided = decisions[split].update(features @ weights.T, labels)
            nearest[split].update(features, labels, decided)
    data = (tensors[name] for name in ("features", "labels"))
    ood = (tensors.get(name) for name in ("ood", "ood_labels"))
    return Observed(train, moments["test"], nearest, decisions, weights, *data, *ood)


def within_trace(moments: ClassMoments) -> float:
    return float(moments.weights("sample") @ moments.variances)


def inc_traces(moments: ClassMoments, trace: str) -> float:
    """Mean over classes of the variance, and of the squared distance to the SAMPLE mean."""
    within = float(moments.variances.mean())
    offsets, _ = centered(moments.means, moments.weights("sample"))
    between = float(offsets.square().sum(dim=1).mean())
    return {"within": within, "between": between, "sum": within + between}[trace]


def inc_nc1(moments: ClassMoments) -> float:
    """About the SAMPLE mean, as that code has it."""
    return nc1_pinv(moments.within_covariance, moments.means, moments.sample_mean)


def inc_etf(moments: ClassMoments, params: dict) -> float:
    """Lengths of the class means about the SAMPLE mean, and their angles plus 1/(K-1)."""
    weights = weights_by("inc", moments.counts[moments.present]).center
    lengths = mean_norms(moments.means, weights)
    offsets = mean_products(moments.means, weights, cosine=True) + 1 / (len(moments.means) - 1)
    if "aggregate" not in params:
        row, column = params["l_ord"], params["r_ord"]
        return float(lengths[row] if params["type"] == "norm" else offsets[row, column])
    off, spread = equiangularity(moments.means, weights)
    return {
        ("norm", "mean"): float(lengths.mean()),
        ("norm", "std (population)"): equinorm(moments.means, weights) * float(lengths.mean()),
        ("angle", "mean"): float(offsets[~torch.eye(len(lengths), dtype=torch.bool)].mean()),
        ("angle", "mean abs"): off,
        ("angle", "std (population)"): spread,
    }[params["type"], params["aggregate"]]


def balanced_agreement(nearest: NearestCenter) -> float:
    """As one package has it: a class without samples counts as 0."""
    return nearest.balanced_agreement * int((nearest.counts > 0).sum()) / len(nearest.counts)


def inc_weight_value(weights: Tensor, params: dict) -> float:
    relative = spectrum(weights).relative
    return float((relative.cumsum(dim=0) if params["sum"] else relative)[params["sigma_idx"]])


def inc_subspaces(seen: Observed) -> float:
    """Leading K directions of the weight and of the UNCENTRED means."""
    return class_alignment(seen.weights, seen.train.means, convention="inc")[0]


def inc_covariance_value(seen: Observed, params: dict) -> float:
    """Eigenvalues of a class covariance, or of the between-class one about the SAMPLE mean."""
    if params["type"].startswith("within_single"):
        rows = seen.rows(params["class_idx"]).double()
        found = row_spectrum((rows - rows.mean(dim=0)) / math.sqrt(len(rows)))
    else:
        offsets, _ = centered(seen.train.means, seen.train.weights("sample"))
        found = row_spectrum(offsets / math.sqrt(len(offsets)))
    absolute = params["type"].endswith("absolute") or params.get("row") == "first (absolute)"
    values = found.values if absolute else found.relative
    values = torch.nn.functional.pad(values, (0, seen.features.shape[1] - len(values)))
    return float((values.cumsum(dim=0) if params["sum"] else values)[params["sigma_idx"]])


def inc_correlation(seen: Observed, params: dict) -> float:
    label, vector = params["r_type"], params["r_ord"]
    if vector == "m":
        return float(weight_means_correlation(seen.weights, seen.train.means).means[params["l_ord"], label])
    return float(weight_class_correlation(seen.weights, seen.rows(label))[params["l_ord"], vector])


def ood_mean(seen: Observed, by_class: bool) -> Tensor:
    """Mean of the out-of-distribution features, or of their class means as one package has it."""
    if by_class:
        return torch.stack([seen.ood[seen.ood_labels == c].double().mean(dim=0)
                            for c in seen.ood_labels.unique()]).mean(dim=0)  # fmt: skip
    found = OutOfDistribution(seen.ood.shape[1])
    for part in seen.ood.split(BATCH):
        found.update(part)
    return found.mean


def dual_products(seen: Observed, cosine: bool) -> Tensor:
    """Products of every class mean with its own row of the classifier."""
    return similarities(seen.weights, seen.train.means, cosine=cosine)


def dual_distances(seen: Observed) -> Tensor:
    pair = seen.weights.double(), centered(seen.train.means)[0]
    rows, means = (torch.nn.functional.normalize(part, dim=1) for part in pair)
    return (rows - means).norm(dim=1)


MEASURES = {
    "nc1_pinv": lambda s, p: nc1_pinv(s.train.within_covariance, s.train.means),
    "nc1_svd": lambda s, p: nc1_svd(s.train.within_covariance, s.train.means, s.train.global_mean),
    "inc.NC1": lambda s, p: inc_nc1(s.train),
    "nc1_pinv_sample_weighted_between": lambda s, p: nc1_pinv(
        s.train.within_covariance, s.train.means, weights=s.train.weights("sample")
    ),
    "nc1_quotient": lambda s, p: nc1_quotient(
        within_trace(s.train), traces(s.train.variances, s.train.means).between
    ),
    "nc1_quotient_sample_weighted_between": lambda s, p: nc1_quotient(
        *traces(s.train.variances, s.train.means, s.train.weights("sample"))
    ),
    "cdnv": lambda s, p: cdnv(s.train.variances, s.train.means)["mean"],
    "inc.CDNV": lambda s, p: cdnv(s.train.variances, s.train.means)["mean"],
    "inc.CDNVTestset": lambda s, p: cdnv(s.test.variances, s.test.means)["mean"],
    "simplex_etf_error": lambda s, p: etf_error(s.train.means),
    "equinorm_means": lambda s, p: equinorm(s.train.means),
    "equiangular_means": lambda s, p: equiangularity(s.train.means)[1],
    "maxangle_means": lambda s, p: equiangularity(s.train.means)[0],
    "between_rank_class_mean_centred": lambda s, p: between_basis(s.train.means).rank,
    "within_cov_trace": lambda s, p: float(s.train.within_covariance.trace()),
    "within_cov_fro": lambda s, p: float(s.train.within_covariance.norm()),
    "var_norms_mean": lambda s, p: float(s.train.variances.mean()),
    "var_norms_first": lambda s, p: float(s.train.variances[0]),
    "var_norms_last": lambda s, p: float(s.train.variances[-1]),
    "global_mean_norm": lambda s, p: float(s.train.global_mean.norm()),
    "mean_norms_mean": lambda s, p: float(mean_norms(s.train.means).mean()),
    "interference_fro": lambda s, p: float(mean_products(s.train.means).norm()),
    "mean_norms_first": lambda s, p: float(mean_norms(s.train.means)[0]),
    "ncc_agreement_train": lambda s, p: s.nearest["train"].agreement,
    "ncc_agreement_test": lambda s, p: s.nearest["test"].agreement,
    "ncc_agreement_unweighted_train": lambda s, p: balanced_agreement(s.nearest["train"]),
    "ncc_agreement_unweighted_test": lambda s, p: balanced_agreement(s.nearest["test"]),
    "ncc_accuracy_train": lambda s, p: s.nearest["train"].accuracy,
    "ncc_accuracy_test": lambda s, p: s.nearest["test"].accuracy,
    "linear_accuracy_train": lambda s, p: s.decisions["train"].accuracy,
    "linear_accuracy_test": lambda s, p: s.decisions["test"].accuracy,
    "inc.NCC": lambda s, p: s.nearest[p["split"]].accuracy,
    "inc.Accuracy": lambda s, p: s.decisions[p["split"]].accuracy,
    "inc.Traces": lambda s, p: inc_traces(s.train, p["trace"]),
    "inc.TracesTestset": lambda s, p: inc_traces(s.test, p["trace"]),
    "inc.ETF": lambda s, p: inc_etf(s.train, p),
    "inc.ETFTestset": lambda s, p: inc_etf(s.test, p),
    "inc.WeightSVs": lambda s, p: inc_weight_value(s.weights, p),
    "inc.AngleBetweenSubspaces": lambda s, p: inc_subspaces(s),
    "cdnv_dist_exp2": lambda s, p: cdnv(s.train.variances, s.train.means, exponent=2)["mean"],
    **{
        f"kernel_{kernel}_{moment}": lambda s, p, kernel=kernel, part=part: getattr(
            kernel_stats(s.train.means, kernel), part
        )
        for kernel in ("dist", "log", "riesz")
        for moment, part in (("mean", "mean"), ("var", "variance"))
    },
    "nc3_papyan": lambda s, p: self_duality_error(s.weights, s.train.means, form="frobenius"),
    "self_duality_error": lambda s, p: self_duality_error(s.weights, s.train.means),
    "equinorm_weights": lambda s, p: weight_equinorm(s.weights),
    "similarities_mean_dot": lambda s, p: float(dual_products(s, False).mean()),
    "similarities_mean_cos": lambda s, p: float(dual_products(s, True).mean()),
    "similarities_var_dot": lambda s, p: float(dual_products(s, False).var()),
    "similarities_var_cos": lambda s, p: float(dual_products(s, True).var()),
    "distance_norms_mean": lambda s, p: float(dual_distances(s).mean()),
    "mean_norms_std_unbiased": lambda s, p: (
        equinorm(s.train.means, unbiased=True) * float(mean_norms(s.train.means).mean())
    ),
    "mean_norms_log_var": lambda s, p: float(mean_norms(s.train.means).log().var()),
    "global_mean_weighted_norm": lambda s, p: float(s.train.sample_mean.norm()),
    "ood_orthogonality": lambda s, p: ood_orthogonality(s.train.means, ood_mean(s, True)),
    "ood_orthogonality_sample_mean": lambda s, p: ood_orthogonality(s.train.means, ood_mean(s, False)),
    "stable_rank": lambda s, p: activation_stable_rank(s.rows(p["class_idx"])),
    "inc.ActivationStableRank": lambda s, p: activation_stable_rank(s.rows(p["class_idx"])),
    "inc.ActivationCovSVs": lambda s, p: inc_covariance_value(s, p),
    "inc.MLPSVD": lambda s, p: inc_correlation(s, p),
}


def usable(entry: dict) -> bool:
    """Whether an entry has a right value: some defects have none, and what is unstable has several."""
    if entry["status"] in ("unstable", "undefined"):
        return False
    return "reference" in entry or entry["status"] != "wrong"


def layer_of(entry: dict) -> int | None:
    """The layer an entry belongs to; what concerns the whole network is read at its last layer."""
    last = len(GOLDEN["inputs"][entry["case"]]["kwargs"].get("dims", ())) - 1
    return entry.get("layer", last if last >= 0 else None)


def label(entry: dict) -> str:
    return "-".join([entry["measure"], *(str(part) for part in entry["params"].values())])


def groups() -> dict[str, list[dict]]:
    """Usable entries by case, layer and measure."""
    found: dict[str, list[dict]] = {}
    for entry in filter(usable, GOLDEN["values"]):
        parts = (entry["case"], entry.get("layer"), entry["measure"])
        found.setdefault("-".join(str(part) for part in parts if part is not None), []).append(entry)
    return found


GROUPS = groups()


@pytest.mark.parametrize("case", GOLDEN["inputs"])
def test_the_recipes_still_make_the_inputs_that_the_golden_values_belong_to(case):
    made = arrays_of(case)
    for layer, arrays in enumerate(made):
        assert_fingerprints(case, layer if len(made) > 1 else None, arrays)


def test_every_golden_measure_is_compared_and_every_comparison_has_a_value():
    assert {entry["measure"] for entry in GOLDEN["values"]} == set(MEASURES)


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("group", GROUPS)
def test_value_is_the_golden_one(group, dtype):
    for entry in GROUPS[group]:
        seen = observe(entry["case"], layer_of(entry), dtype)
        found = MEASURES[entry["measure"]](seen, entry["params"])
        if entry["case"] == "simplex" and label(entry) in ZERO_ON_SIMPLEX:
            assert abs(found) < ZERO[dtype], entry
        else:
            wanted = float(entry.get("reference", entry["value"]))
            atol = SIZE.get(entry["measure"], {}).get(dtype, 0.0)
            assert found == pytest.approx(wanted, rel=TOLERANCE[dtype], abs=atol), entry


def test_a_class_that_the_test_split_lacks_is_left_out_where_other_code_has_no_value():
    undefined = [entry for entry in GOLDEN["values"] if entry["status"] == "undefined"]
    assert {entry["measure"] for entry in undefined} == {
        "inc.TracesTestset",
        "inc.CDNVTestset",
        "inc.ETFTestset",
    }
    for entry in undefined:
        seen = observe(entry["case"], None, torch.float64)
        assert len(seen.test.present) < seen.test.num_classes
        assert math.isfinite(MEASURES[entry["measure"]](seen, entry["params"])), entry
