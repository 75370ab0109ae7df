"""Entropies of spectra and of bins on inputs made from a seed: another implementation, the definition."""

import json
from functools import cache
from pathlib import Path

import pytest
import recipes
import torch

from layerscope.functional import (
    adjacency_spectral_entropy,
    adjacency_spectrum,
    class_information,
    class_parts,
    cluster_inputs,
    diffusion_spectral_entropy,
    diffusion_spectrum,
    equal_width_codes,
    gaussian_affinity,
    matrix_entry_entropy,
    shannon_entropy_binned,
    spectral_entropy,
)

GOLDEN = json.loads((Path(__file__).parent / "entropy_values.json").read_text(encoding="utf-8"))
MEASURES = sorted({entry["measure"] for entry in GOLDEN["values"]})
CASES = sorted(GOLDEN["inputs"])

# The directed neighbour graph has defective eigenvalues: those that are 0 in theory come out as 1e-3.
TOLERANCE = {"ase_knn": 1e-5}


@cache
def arrays_of(case):
    entry = GOLDEN["inputs"][case]
    made = getattr(recipes, entry["function"])(**entry["kwargs"])
    return {name: torch.from_numpy(values) for name, values in made.items()}


@cache
def affinity_of(case, sigma):
    return gaussian_affinity(arrays_of(case)["points"], float(sigma))


@cache
def spectrum_of(case, sigma, alpha=0.0):
    return diffusion_spectrum(affinity_of(case, sigma), alpha=alpha)


def labels_of(case, measure, params):
    if measure == "dsmi_scalar":
        return equal_width_codes(arrays_of(case)["scalar"], params["n_clusters"])
    if measure == "dsmi_inputs":
        return torch.tensor(GOLDEN["inputs"][case]["spectral_clusters_of_inputs"])
    return arrays_of(case)["labels"]


def matched(case, measure, params, entropy):
    """The value by the subsets that the other implementation draws."""
    labels = labels_of(case, measure, params)
    sizes = labels.unique(return_counts=True)[1].tolist()
    drawn = recipes.dsmi_subsets(len(labels), sizes)
    subsets = {size: [torch.from_numpy(i) for i in some] for size, some in zip(sizes, drawn, strict=True)}
    parts = class_parts(entropy, labels, variant="matched", subsets=subsets)
    return class_information(parts, float, units="bits").matched


def diffusion(case, params, alpha):
    return spectral_entropy(spectrum_of(case, params["sigma"], alpha), params.get("t", 1), units="bits")


def dsmi(case, measure, params):
    affinity = affinity_of(case, params["sigma"])
    return matched(
        case,
        measure,
        params,
        lambda index: spectral_entropy(diffusion_spectrum(affinity.restricted(index)), params["t"]),
    )


def gaussian_adjacency(case, params):
    if params["anisotropic"]:  # scaled by the roots of both degrees: this is the diffusion operator
        return diffusion(case, params, alpha=0.0)
    return adjacency_spectral_entropy(
        arrays_of(case)["points"], bandwidth=float(params["sigma"]), units="bits"
    )


def binned(case, params):
    features, bins = arrays_of(case)["points"], params["num_bins_per_dim"]
    return shannon_entropy_binned(features, bins=bins, edges="per_unit", units="bits")


def binned_information(case, measure, params):
    features, bins = arrays_of(case)["points"], params["num_bins_per_dim"]
    return matched(
        case,
        measure,
        params,
        lambda index: shannon_entropy_binned(features[index], bins=bins, edges="per_unit"),
    )


def adjacency_information(case, measure, params):
    affinity = affinity_of(case, params["sigma"])
    entropy = lambda index: spectral_entropy(adjacency_spectrum(affinity.restricted(index)))  # noqa: E731
    return matched(case, measure, params, entropy)


def entry_information(case, measure, params):
    affinity = affinity_of(case, params["sigma"])
    entropy = lambda index: matrix_entry_entropy(affinity.restricted(index), alpha=0.5)  # noqa: E731
    return matched(case, measure, params, entropy)


# What the package calls the diffusion matrix has alpha = 0 in its spectra, and 1/2 in its matrix entries.
FOUND = {
    "dse": lambda case, measure, params: diffusion(case, params, alpha=0.0),
    "dse_row_stochastic": lambda case, measure, params: diffusion(case, params, alpha=0.5),
    "diffusion_eigenvalue": lambda case, measure, params: float(
        spectrum_of(case, params["sigma"]).values[params["index"]]
    ),
    "dse_matrix_entry": lambda case, measure, params: matrix_entry_entropy(
        affinity_of(case, params["sigma"]), alpha=0.5, units="bits"
    ),
    "dsmi_labels": dsmi,
    "dsmi_inputs": dsmi,
    "dsmi_scalar": dsmi,
    "dsmi_labels_matrix_entry": entry_information,
    "ase": lambda case, measure, params: gaussian_adjacency(case, params),
    "ase_knn": lambda case, measure, params: adjacency_spectral_entropy(
        arrays_of(case)["points"], neighbors=params["knn"], convention="dse", units="bits"
    ),
    "asmi_labels": adjacency_information,
    "classic_shannon": lambda case, measure, params: binned(case, params),
    "csmi_labels": binned_information,
}


@pytest.mark.parametrize("case", CASES)
def test_the_recipes_still_make_the_inputs_that_the_golden_values_belong_to(case):
    for name, wanted in GOLDEN["inputs"][case]["fingerprints"].items():
        found = recipes.fingerprint(arrays_of(case)[name].numpy())
        assert (found["shape"], found["dtype"]) == (wanted["shape"], wanted["dtype"])
        for key in ("sum", "sumsq", "first", "last"):
            assert found[key] == pytest.approx(wanted[key], rel=1e-11)


def test_every_golden_measure_is_compared():
    assert sorted(FOUND) == MEASURES


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("case", CASES)
def test_value_is_the_golden_one(case, measure):
    entries = [e for e in GOLDEN["values"] if (e["case"], e["measure"]) == (case, measure)]
    for entry in entries:
        found = FOUND[measure](case, measure, entry["params"])
        tolerance = TOLERANCE.get(measure, 1e-9)
        assert found == pytest.approx(entry["reference"], rel=tolerance, abs=1e-14), entry["params"]


@pytest.mark.parametrize("case", CASES)
def test_inputs_fall_into_the_golden_clusters(case):
    wanted = torch.tensor(GOLDEN["inputs"][case]["spectral_clusters_of_inputs"])
    found = cluster_inputs(arrays_of(case)["inputs"], int(wanted.max()) + 1)
    pairs = torch.stack([wanted, found], dim=1).unique(dim=0)
    assert len(pairs) == int(wanted.max()) + 1  # the same partition


def test_one_spectrum_serves_every_power():
    points, sigma = arrays_of("blobs")["points"], 5.0
    spectrum = spectrum_of("blobs", 5)
    for t in (1, 2, 5):
        assert spectral_entropy(spectrum, t) == diffusion_spectral_entropy(points, bandwidth=sigma, t=t)
