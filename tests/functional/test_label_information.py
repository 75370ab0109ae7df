"""Mutual information of features with labels (Ross 2014)."""

import math

import information_reference as reference
import pytest
import torch
from scipy.special import digamma

from layerscope.functional import label_mutual_information


def classes(counts, dim=2, apart=1.0, seed=0):
    labels = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(len(labels), dim, generator=generator, dtype=torch.float64)
    return apart * labels.unsqueeze(1) + noise, labels


@pytest.mark.parametrize("norm", ["euclidean", "chebyshev"])
def test_values_are_those_of_a_loop_over_the_definition(norm):
    points, labels = classes([30, 20, 3, 2])  # the last two have fewer neighbours than k
    found = label_mutual_information(points, labels, norm=norm)
    wanted = reference.ross(reference.scaled(points.numpy()), labels.numpy(), norm=norm)
    assert found.value == pytest.approx(wanted, abs=1e-12)


def test_classes_far_apart_reach_the_ceiling_which_is_the_entropy_of_the_labels():
    points, labels = classes([200, 200, 200, 200], apart=1e3)
    found = label_mutual_information(points, labels, units="bits")
    assert found.value == pytest.approx(found.ceiling, abs=1e-12)
    assert found.ceiling == pytest.approx((digamma(800) - digamma(200)) / math.log(2), abs=1e-12)
    assert found.value == pytest.approx(2.0, abs=0.01)


def test_labels_that_say_nothing_have_none():
    points, labels = classes([400, 400], apart=0.0)
    assert abs(label_mutual_information(points, labels).value) < 0.05


def test_a_sample_of_its_own_label_changes_nothing_and_is_named():
    points, labels = classes([50, 50])
    lonely = torch.cat([points, points[:1] + 0.3]), torch.cat([labels, torch.tensor([9])])
    found = label_mutual_information(*lonely, standardize=False)
    assert found.value == label_mutual_information(points, labels, standardize=False).value
    assert found.reasons == ("singletons",)
    assert found.samples == 100


def test_names_of_labels_do_not_matter():
    points, labels = classes([40, 60])
    renamed = torch.tensor([17, -3])[labels]
    assert label_mutual_information(points, renamed).value == label_mutual_information(points, labels).value


def test_collapsed_features_tell_the_labels():
    labels = torch.arange(5).repeat_interleave(100)
    means = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    found = label_mutual_information(means[labels], labels)
    assert found.value == pytest.approx(math.log(5), abs=0.02)
    assert (found.tied, found.reasons) == (500, ("ties",))


def test_bad_labels_are_refused_with_the_reason():
    points, labels = classes([5, 5])
    with pytest.raises(ValueError, match="integers"):
        label_mutual_information(points, labels.double())
    with pytest.raises(ValueError, match="10 samples need as many labels"):
        label_mutual_information(points, labels[:-1])
    with pytest.raises(ValueError, match="no label has two samples"):
        label_mutual_information(points, torch.arange(10))
