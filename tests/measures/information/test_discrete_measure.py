"""DiscreteMI and JointPMF of decisions that are given outright."""

import math

import pytest
import torch

from layerscope.config.sections.information import InformationConfig
from layerscope.features.taps import Layer
from layerscope.measures.base import CheckpointStatistics, LayerStatistics, SplitStatistics
from layerscope.measures.estimation import Estimation
from layerscope.measures.information.discrete_information import DiscreteMI, JointPMF
from layerscope.measures.information.paired_information import PairedMI
from layerscope.pairing import ImagePairs
from layerscope.statistics.decisions import Decisions
from layerscope.statistics.feature_sample import Sampled

LABELS = torch.arange(4).repeat(25)  # of 100 images in either split


def statistics_of(test, train, *, pairs=None, splits=("train", "test"), units="nats"):
    """Decisions on the test and the train images; image i is paired with image i."""
    decided = {"train": train, "test": test}
    whole = torch.arange(len(LABELS))
    estimation = Estimation(InformationConfig(units=units), permutations=200)
    statistics = CheckpointStatistics("balanced", [], estimation=estimation)
    statistics.pairs = pairs or ImagePairs(whole, whole, torch.ones(len(whole)).double(), {})
    for name in splits:
        counts = Decisions(4)
        counts.update(torch.nn.functional.one_hot(decided[name], 4).double(), LABELS)
        statistics.decisions[name] = counts
        statistics.decided[name], statistics.labels[name] = decided[name], LABELS
    return statistics


def found(statistics):
    """Statistic (or class) → value of all rows of DiscreteMI."""
    values = [value for _, value in DiscreteMI().values(statistics)]
    return {
        value.qualifiers["statistic"] if value.qualifiers["class"] == -1 else value.qualifiers["class"]: value
        for value in values
    }


def test_a_perfect_classifier_tells_everything():
    rows = found(statistics_of(LABELS, LABELS, units="bits"))
    assert rows["information"].value == pytest.approx(2.0)
    assert rows["information"].ceiling == pytest.approx(2.0)
    assert rows["information"].error == pytest.approx(0.0, abs=1e-12)
    assert rows["label_entropy"].value == rows["test_entropy"].value == pytest.approx(2.0)
    assert rows["agreement"].value == rows["label_agreement"].value == 1.0
    assert rows["p_value"].value == pytest.approx(1 / 201)
    assert rows["information"].value > rows["null_quantile"].value > rows["null_mean"].value > 0
    assert [rows[label].value for label in range(4)] == pytest.approx([2.0] * 4)
    assert rows["information"].unit == "bit"


def test_decisions_that_do_not_go_together_tell_no_more_than_chance():
    generator = torch.Generator().manual_seed(5)
    test, train = (torch.randint(4, (100,), generator=generator) for _ in range(2))
    rows = found(statistics_of(test, train))
    assert 0 < rows["information"].value < rows["null_quantile"].value
    assert rows["p_value"].value > 0.05
    assert abs(rows["miller_madow"].value) < rows["information"].value


def test_one_answer_for_everything_is_degenerate():
    rows = found(statistics_of(torch.zeros_like(LABELS), LABELS))
    assert (rows["information"].value, rows["information"].status) == (0.0, "degenerate")
    assert rows["train_entropy"].value == pytest.approx(math.log(4))
    assert (rows[3].status, rows[0].value) == ("undefined", 0.0)


def test_classes_share_the_information_by_their_frequency():
    generator = torch.Generator().manual_seed(1)
    noisy = torch.where(torch.rand(100, generator=generator) < 0.3, 3, LABELS)
    rows = found(statistics_of(noisy, LABELS))
    shares = torch.bincount(noisy) / len(noisy)
    mean = sum(float(share) * rows[label].value for label, share in enumerate(shares))
    assert mean == pytest.approx(rows["information"].value, rel=1e-6)
    assert rows[0].value > rows[3].value


def test_the_joint_table_is_the_share_of_pairs_and_leaves_out_what_never_happens():
    pairs = ImagePairs(torch.tensor([0, 1, 1, 2]), torch.tensor([0, 1, 0, 6]), torch.ones(4), {})
    statistics = statistics_of(LABELS, LABELS, pairs=pairs)
    rows = list(JointPMF().values(statistics))
    cells = {tuple(value.qualifiers.values()): value.value for _, value in rows}
    assert cells == {(0, 0): 0.25, (1, 0): 0.25, (1, 1): 0.25, (2, 2): 0.25}
    assert {subject.samples for subject, _ in rows} == {4}


@pytest.mark.parametrize("splits", [("test",), ("train",)])
def test_pairs_of_a_split_that_is_not_measured_are_skipped(splits):
    statistics = statistics_of(LABELS, LABELS, splits=splits)
    for measure in (DiscreteMI(), JointPMF()):
        ((_, value),) = measure.values(statistics)
        assert value.status == "skipped"


def test_features_of_paired_images_share_what_the_pairs_share():
    labels = torch.arange(4).repeat(30)
    generator = torch.Generator().manual_seed(3)
    features = labels.unsqueeze(1) + 0.3 * torch.randn(120, 2, generator=generator).double()
    layer = Layer("fc", 0, "fc", 0, (2,), 2)
    entry = LayerStatistics(layer, torch.nn.Identity(), "input", "flatten")
    order = torch.randperm(120, generator=generator)
    noisy = features[order] + 0.1 * torch.randn(120, 2, generator=generator)
    partners = Sampled(noisy, labels[order], order)
    entry.splits = {
        "train": SplitStatistics(partners=partners),
        "test": SplitStatistics(sample=Sampled(features, labels, torch.arange(120))),
    }
    statistics = CheckpointStatistics("balanced", [entry])
    places = torch.arange(120)
    for paired, low, high in ((places, 1.0, 9.0), (torch.randperm(120, generator=generator), -0.4, 0.4)):
        statistics.pairs, statistics.observed = ImagePairs(places, paired, torch.ones(120), {}), {}
        (ksg, gaussian) = (value for _, value in PairedMI().values(statistics))
        assert low < ksg.value < high
        assert low < gaussian.value < high
        assert ksg.qualifiers == {"estimator": "ksg", "components": "8", "n": 120}
