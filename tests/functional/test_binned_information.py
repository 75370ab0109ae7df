"""Shannon entropy and mutual information of binned features."""

import math

import entropy_reference as reference
import pytest
import torch
from clouds import cloud
from constructions import few, labelled
from hypothesis import given
from hypothesis import strategies as st

from layerscope.functional import (
    binned_mutual_information,
    code_words,
    entropy_of_counts,
    equal_width_codes,
    shannon_entropy_binned,
)

kinds = st.sampled_from(["minmax", "per_unit", "fixed"])


def ends(features, edges):
    if edges == "fixed":
        return (-20.0, 30.0), ([-20.0] * features.shape[1], [30.0] * features.shape[1])
    if edges == "per_unit":
        return None, (features.min(dim=0).values.tolist(), features.max(dim=0).values.tolist())
    return None, ([float(features.min())] * features.shape[1], [float(features.max())] * features.shape[1])


@given(data=labelled, bins=st.integers(1, 40), edges=kinds)
@few
def test_values_are_those_of_counting_tuples(data, bins, edges):
    limits, (low, high) = ends(data.features, edges)
    words = reference.words(data.features.tolist(), bins, low, high)
    arguments = {"bins": bins, "edges": edges, "limits": limits}
    assert shannon_entropy_binned(data.features, **arguments) == pytest.approx(
        reference.entropy_of_words(words), abs=1e-12
    )
    found = binned_mutual_information(data.features, data.labels, **arguments)
    truth = reference.information(words, data.labels.tolist())
    assert found.with_labels == pytest.approx(truth, abs=1e-12)
    assert found.unique_fraction == len(set(words)) / len(words)


def test_one_hot_features_tell_the_labels_and_constant_ones_nothing():
    labels = torch.arange(30) % 3
    found = binned_mutual_information(torch.eye(3)[labels], labels)
    assert found.with_labels == pytest.approx(math.log(3)) == pytest.approx(found.label_entropy)
    assert found.with_inputs == pytest.approx(math.log(3))
    assert (found.saturated, found.unique_fraction) == (False, 0.1)
    nothing = binned_mutual_information(torch.ones(30, 4), labels)
    assert (nothing.with_labels, nothing.with_inputs) == (0.0, 0.0)


def test_once_all_code_words_differ_the_labels_are_told_whatever_they_are():
    features = torch.arange(30.0).unsqueeze(1)
    for seed in range(3):
        labels = torch.randint(0, 3, (30,), generator=torch.Generator().manual_seed(seed))
        found = binned_mutual_information(features, labels, bins=30)
        assert found.with_inputs == pytest.approx(math.log(30))
        assert found.with_labels == pytest.approx(found.label_entropy)
        assert found.saturated


def test_two_bins_per_unit_saturate_in_moderate_dimension():
    entropies = [shannon_entropy_binned(cloud(1, 200, dim), bins=2, edges="per_unit") for dim in (2, 20)]
    assert entropies[0] < math.log(4) + 1e-12
    assert entropies[1] > 0.99 * math.log(200)


def test_the_right_edge_belongs_to_the_last_bin():
    values = torch.tensor([0.0, 0.49, 0.5, 0.99, 1.0])
    assert equal_width_codes(values, 2).tolist() == [0, 0, 1, 1, 1]
    fixed = code_words(values.unsqueeze(1), bins=2, edges="fixed", limits=(0.0, 1.0))
    assert fixed.tolist() == [0, 0, 1, 1, 1]


def test_a_constant_unit_has_one_bin_beside_others_that_vary():
    features = torch.tensor([[5.0, 0.0], [5.0, 1.0], [5.0, 2.0]])
    assert code_words(features, bins=3, edges="per_unit").tolist() == [0, 1, 2]


@given(data=labelled, seed=st.integers(0, 1000))
@few
def test_order_and_affine_maps_do_not_matter(data, seed):
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(data.labels), generator=generator)
    for edges in ("minmax", "per_unit"):
        expected = binned_mutual_information(data.features, data.labels, bins=4, edges=edges)
        scaled = 2.0 ** (seed % 5) * data.features  # a power of two: no rounding moves a value over an edge
        assert binned_mutual_information(
            scaled[order], data.labels[order], bins=4, edges=edges
        ).with_labels == pytest.approx(expected.with_labels, abs=1e-12)
    columns = 2.0 ** torch.randint(-3, 4, (data.features.shape[1],), generator=generator)
    assert torch.equal(
        code_words(columns * data.features, bins=4, edges="per_unit"),
        code_words(data.features, bins=4, edges="per_unit"),
    )


def test_many_units_and_bins_never_share_a_code_word():
    generator = torch.Generator().manual_seed(0)
    cells = torch.randint(0, 1000, (300, 50), generator=generator)
    cells[100:200] = cells[:100]
    cells[150, 49] += 1 if cells[150, 49] < 999 else -1  # a copy but for one cell
    cells[0, 0], cells[1, 0] = 0, 999
    cells[100, 0], cells[101, 0] = 0, 999
    words = code_words(cells.double() + 0.5, bins=1000, edges="fixed", limits=(0.0, 1000.0))
    distinct = {tuple(row) for row in cells.tolist()}
    assert int(words.max()) + 1 == len(distinct) == 201
    assert words[100] == words[0] and words[150] != words[50]


def test_bits_and_nats():
    features = torch.arange(8.0).unsqueeze(1)
    assert shannon_entropy_binned(features, bins=8, units="bits") == pytest.approx(3.0)
    found = binned_mutual_information(features, torch.arange(8) % 2, bins=8, units="bits")
    assert (found.with_inputs, found.with_labels) == (pytest.approx(3.0), pytest.approx(1.0))


def test_no_samples_have_no_defined_entropy():
    assert math.isnan(shannon_entropy_binned(torch.ones(0, 3)))
    assert math.isnan(entropy_of_counts(torch.zeros(3)))
    with pytest.raises(ValueError, match="no samples"):
        binned_mutual_information(torch.ones(0, 3), torch.zeros(0).long())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bins": 0}, "at least one bin, not 0"),
        ({"edges": "quantile"}, "'minmax', 'per_unit' or 'fixed', not 'quantile'"),
        ({"edges": "fixed"}, "limits belong to edges='fixed' .* got None with 'fixed'"),
        ({"limits": (0.0, 1.0)}, "limits belong to edges='fixed'"),
        ({"edges": "fixed", "limits": (1.0, 1.0)}, "limits must ascend"),
        ({"edges": "fixed", "limits": (-0.1, 0.1)}, r"values lie outside \[-0.1, 0.1\]"),
        ({"units": "bit"}, "'nats' or 'bits'"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        shannon_entropy_binned(cloud(1), **arguments)


def test_labels_and_variables_must_be_what_they_are_called():
    with pytest.raises(ValueError, match="labels must be integers"):
        binned_mutual_information(cloud(1), torch.zeros(12))
    with pytest.raises(ValueError, match=r"one variable is a tensor \(n,\)"):
        equal_width_codes(cloud(1), 3)
