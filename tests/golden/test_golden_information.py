"""Mutual information by other implementations (scikit-learn, benchmark-mi, latentmi, mi-neural-collapse)."""

import json
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import recipes
import torch

from layerscope.functional import (
    discrete_mutual_information,
    gaussian_mutual_information,
    gaussian_mutual_information_of,
    ksg_mutual_information,
    label_mutual_information,
    latent_mutual_information,
)

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "information_values.json").read_text(encoding="utf-8"))
CLIPPING = {"scikit-learn mutual_info_regression", "benchmark-mi", "scikit-learn mutual_info_classif"}


def rows(*measures: str) -> list:
    chosen = [row for row in GOLDEN["values"] if row["measure"] in measures]
    return [
        pytest.param(row, id=f"{row['case']}-{row['peer'] or 'own'}-{number}")
        for number, row in enumerate(chosen)
    ]


def wanted(row: dict) -> float:
    """The right value: the definition's where the peer errs, the peer's clipping aside."""
    return row["reference"] if row.get("reference") is not None else row["value"]


def bits(row: dict) -> str:
    return "bits" if "bits" in row["measure"] else "nats"


@cache
def made(case: str):
    """Arrays of a case, after a look at their fingerprints."""
    entry = GOLDEN["inputs"][case]
    if entry["function"] is None:
        with np.load(HERE / "benchmark_samples.npz") as stored:
            arrays = tuple(stored[key] for key in entry["keys"])
    else:
        arrays = getattr(recipes, entry["function"])(**entry["kwargs"])
    named = (
        arrays if isinstance(arrays, dict) else dict(zip(entry["fingerprints"], _tuple(arrays), strict=False))
    )
    for name, stored in entry["fingerprints"].items():
        found = recipes.fingerprint(named[name])
        scale = max(abs(stored["sumsq"]), 1.0)
        assert found["shape"] == stored["shape"], name
        for key in ("sum", "sumsq", "first", "last"):
            assert found[key] == pytest.approx(stored[key], rel=1e-11, abs=1e-12 * scale), (name, key)
    return {name: torch.from_numpy(np.asarray(array)) for name, array in named.items()}


def _tuple(arrays):
    return arrays if isinstance(arrays, tuple) else (arrays,)


@cache
def ksg(case: str, k: int, norm: str, standardize: bool) -> float:
    x, y = list(made(case).values())[:2]
    return ksg_mutual_information(x, y, k=k, norm=norm, standardize=standardize).value


@pytest.mark.parametrize("row", rows("ksg_nats", "ksg_bits"))
def test_ksg_is_what_other_implementations_find(row):
    params = row["params"]
    found = ksg(row["case"], params["k"], params["metric"], params["standardize"])
    found = max(found, 0.0) if row["peer"] in CLIPPING else found
    # The peers' noise of 1e-10, and counts that flip in an expanded Euclidean distance.
    tolerance = 5e-6 if row["peer"] == "benchmark-mi" else 1e-10
    scale = np.log(2) if bits(row) == "bits" else 1.0
    assert found / scale == pytest.approx(row["value"], abs=tolerance)


@pytest.mark.parametrize("row", rows("ksg_nats"))
def test_ksg_is_the_definition_to_the_last_digits(row):
    params = row["params"]
    found = ksg(row["case"], params["k"], params["metric"], params["standardize"])
    if row["peer"] in CLIPPING:
        found = max(found, 0.0)
    assert found == pytest.approx(wanted(row), abs=1e-12)


@pytest.mark.parametrize("row", rows("ksg_bias_nats"))
def test_ksg_is_as_far_from_the_truth_as_its_definition(row):
    truth = GOLDEN["benchmark_tasks"][row["case"].removeprefix("bmi:")]
    found = ksg(row["case"], row["params"]["k"], row["params"]["metric"], True)
    assert found - truth == pytest.approx(wanted(row), abs=1e-12)


@pytest.mark.parametrize("row", rows("ross_mi_feature_label_nats"))
def test_label_information_is_that_of_ross(row):
    arrays = made(row["case"])
    feature = arrays["features"][:, row["params"]["feature"]]
    found = label_mutual_information(feature, arrays["labels"], k=row["params"]["k"], clip=True)
    assert found.value == pytest.approx(wanted(row), abs=1e-12)


@pytest.mark.parametrize("row", rows("discrete_mi_bits", "discrete_mi_nats", "normalized_mi_arithmetic"))
def test_discrete_information_is_that_of_the_definition(row):
    (pmf,) = made(row["case"]).values()
    found = discrete_mutual_information(pmf, units=bits(row))
    value = found.normalized if row["measure"].startswith("normalized") else found.value
    assert value == pytest.approx(wanted(row), abs=1e-12)


@pytest.mark.parametrize("row", rows("entropy_rows_bits", "entropy_cols_bits", "entropy_joint_bits"))
def test_entropies_of_a_table_are_those_of_the_definition(row):
    (pmf,) = made(row["case"]).values()
    found = discrete_mutual_information(pmf, units="bits")
    joint = found.row_entropy + found.column_entropy - found.value
    by_name = {"rows": found.row_entropy, "cols": found.column_entropy, "joint": joint}
    assert by_name[row["measure"].split("_")[1]] == pytest.approx(wanted(row), abs=1e-12)


@pytest.mark.parametrize("row", rows("gaussian_mi_from_covariance_bits"))
def test_gaussian_information_of_a_covariance_is_that_of_the_definition(row):
    covariance = made(row["case"])["[0]"]
    # The peer adds its ridge to variances, not to correlations.
    ridged = covariance + row["params"]["regularization"] * torch.eye(len(covariance), dtype=torch.float64)
    dim_x = GOLDEN["inputs"][row["case"]]["kwargs"]["dx"]
    found = gaussian_mutual_information_of(ridged, dim_x, units="bits")
    assert found == pytest.approx(wanted(row), abs=1e-12)


@pytest.mark.parametrize("row", rows("gaussian_mi_from_samples_nats"))
def test_gaussian_information_of_paired_samples_is_that_of_the_definition(row):
    x, y = made(row["case"]).values()
    ridge = row["params"]["regularization"]
    both = torch.cat([x, y], dim=1)
    covariance = torch.cov(both.T) + ridge * torch.eye(both.shape[1], dtype=torch.float64)
    assert gaussian_mutual_information_of(covariance, x.shape[1]) == pytest.approx(wanted(row), abs=1e-12)
    if ridge == 0:
        assert gaussian_mutual_information(x, y).value == pytest.approx(wanted(row), abs=1e-12)


def test_pairs_count_where_a_peer_averages_over_all_of_them():
    # D-30: its cross-covariance takes every x with every y, which is zero whatever the data.
    (row,) = (row for row in GOLDEN["values"] if "cross_covariance" in row["measure"])
    assert row["status"] == "wrong"
    x, y = (block[:120] for block in made(row["case"]).values())
    found = gaussian_mutual_information(x, y, units="bits").value
    assert found == pytest.approx(wanted(row), abs=1e-12)


@pytest.mark.parametrize("row", rows("lmi_bits"))
def test_latent_information_is_nearer_to_the_truth_than_the_peers_or_as_near_as_chance_allows(row):
    (truth,) = (
        param.values[0]["value"] for param in rows("mi_true_bits") if param.values[0]["case"] == row["case"]
    )
    x, y = made(row["case"]).values()
    found = latent_mutual_information(x, y, units="bits").value
    law = GOLDEN["inputs"][row["case"]]["kwargs"]
    # The information density of a pair has the variance rho squared: even its mean on these samples is off.
    chance = math.sqrt(law["latent"] * law["rho"] ** 2 / law["n"]) / math.log(2)
    assert abs(found - truth) < max(abs(row["value"] - truth), chance)
