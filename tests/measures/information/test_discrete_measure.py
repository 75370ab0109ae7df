"""DiscreteMI and JointPMF of decisions that are given outright."""

import math

import pytest
import torch

from layerscope.config.sections.information import InformationConfig
from layerscope.features.taps import Layer
from layerscope.functional.discrete_information import discrete_mutual_information, joint_counts
from layerscope.measures.base import CheckpointStatistics, LayerStatistics, SplitStatistics
from layerscope.measures.estimation import Estimation
from layerscope.measures.information.discrete_information import DiscreteMI, JointPMF
from layerscope.measures.information.paired_information import PairedMI
from layerscope.pairing import ImagePairs
from layerscope.statistics.decisions import Decisions
from layerscope.statistics.feature_sample import Sampled, even_choice

LABELS = torch.arange(4).repeat(25)  # of 100 images in either split


def statistics_of(
    test, train, *, pairs=None, splits=("train", "test"), units="nats", permutations=200, **estimation
):
    """Decisions on the test and the train images; image i is paired with image i."""
    decided = {"train": train, "test": test}
    whole = torch.arange(len(LABELS))
    how = Estimation(InformationConfig(units=units), permutations=permutations, **estimation)
    statistics = CheckpointStatistics("balanced", [], estimation=how)
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
    assert rows["label_entropy"].value == pytest.approx(2.0)
    assert rows["test_entropy"].value == pytest.approx(2.0)
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


def noisy_decisions(seed, count=100):
    """Labels of which three in ten are drawn anew."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(4, (count,), generator=generator)
    return torch.where(torch.rand(count, generator=generator) < 0.3, drawn, LABELS[:count])


def test_smaller_numbers_of_pairs_are_seeded_even_parts_of_each_other():
    statistics = statistics_of(noisy_decisions(1), noisy_decisions(2), grid=(20, 60), permutations=0)
    rows = list(DiscreteMI().values(statistics))
    told = {(value.qualifiers["statistic"], value.qualifiers["n"]): value.value for _, value in rows}
    assert {subject.samples for subject, _ in rows} == {20, 60, 100}
    assert all(subject.samples == value.qualifiers["n"] for subject, value in rows)
    test, train = (statistics.decided[split] for split in ("test", "train"))
    for size in (20, 60, 100):
        chosen = even_choice(LABELS, size, statistics.estimation.seed)
        expected = discrete_mutual_information(joint_counts(test[chosen], train[chosen], 4))
        assert told["information", size] == expected.value
        assert told["miller_madow", size] == expected.miller_madow
        assert told["label_entropy", size] == pytest.approx(math.log(4))


def test_the_error_from_random_halves_is_about_the_spread_of_new_pairs():
    def information(seed, **estimation):
        decided = noisy_decisions(seed), noisy_decisions(seed + 1000)
        return found(statistics_of(*decided, permutations=0, **estimation))["miller_madow"]

    spread = torch.tensor([information(seed).value for seed in range(60)]).std()
    errors = torch.tensor([information(seed, repeats=20).error for seed in range(8)])
    assert 0.6 < float(errors.mean() / spread) < 1.6


def test_halves_give_errors_to_all_but_what_chance_gives():
    rows = found(statistics_of(noisy_decisions(1), noisy_decisions(2), repeats=3))
    without = found(statistics_of(noisy_decisions(1), noisy_decisions(2)))
    of_chance = {"null_mean", "null_quantile", "p_value"}
    assert {name for name, value in rows.items() if value.error is None} == of_chance
    assert {name for name, value in without.items() if value.error is not None} == {"information"}
    assert rows["information"].error != without["information"].error
    assert [value.value for value in rows.values()] == [value.value for value in without.values()]


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
        assert gaussian.ceiling == pytest.approx(math.log(4))
        assert gaussian.status == ("degenerate" if gaussian.value > gaussian.ceiling else "ok")
        assert ksg.qualifiers == {"estimator": "ksg", "components": "8", "n": 120}


def test_gaussian_information_of_far_groups_exceeds_the_entropy_of_the_labels_and_says_so():
    places, labels = torch.arange(120), torch.arange(4).repeat(30)
    generator = torch.Generator().manual_seed(3)
    centers = 20 * torch.eye(4).double()
    entry = LayerStatistics(Layer("fc", 0, "fc", 0, (4,), 4), torch.nn.Identity(), "input", "flatten")
    test, train = (centers[labels] + torch.randn(120, 4, generator=generator) for _ in range(2))
    entry.splits = {
        "train": SplitStatistics(partners=Sampled(train, labels, places)),
        "test": SplitStatistics(sample=Sampled(test, labels, places)),
    }
    statistics = CheckpointStatistics("balanced", [entry])
    statistics.pairs = ImagePairs(places, places, torch.ones(120), {})
    ksg, gaussian = (value for _, value in PairedMI().values(statistics))
    assert gaussian.value > 3 * math.log(4)
    assert (gaussian.status, gaussian.ceiling) == ("degenerate", pytest.approx(math.log(4)))
    assert ksg.ceiling > math.log(4)
