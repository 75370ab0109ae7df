"""What the network itself decides."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from moments_reference import few

from layerscope.statistics import Decisions


def random_logits(seed, count=50, classes=4):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, classes, generator=generator), torch.randint(
        classes, (count,), generator=generator
    )


def test_confusion_accuracy_and_loss_are_those_done_by_hand():
    decisions = Decisions(3)
    logits = torch.tensor([[5.0, 1.0, 0.0], [0.0, 2.0, 1.0], [0.0, 3.0, 1.0], [0.0, 0.0, 9.0]])
    assert decisions.update(logits[:3], torch.tensor([0, 1, 2]), torch.tensor(2.0)).tolist() == [0, 1, 1]
    decisions.update(logits[3:], torch.tensor([2]), torch.tensor(6.0))
    assert decisions.confusion.tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 1]]
    assert decisions.accuracy == 0.75
    assert decisions.loss == 3.0  # (3 · 2 + 1 · 6) / 4
    assert (decisions.samples, decisions.classes) == (4, 3)


@given(seed=st.integers(0, 10_000))
@few
def test_counts_are_those_of_a_loop(seed):
    logits, labels = random_logits(seed)
    decisions = Decisions(4)
    decisions.update(logits, labels)
    expected = [[0] * 4 for _ in range(4)]
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        expected[label][row.index(max(row))] += 1
    assert decisions.confusion.tolist() == expected
    assert decisions.accuracy == sum(expected[c][c] for c in range(4)) / 50


def test_ties_go_to_the_lowest_class():
    assert Decisions(3).update(
        torch.tensor([[0.0, 1.0, 1.0], [2.0, 2.0, 2.0]]), torch.tensor([1, 2])
    ).tolist() == [1, 0]


def test_the_bias_is_part_of_the_decision():
    features, labels = torch.eye(2), torch.tensor([0, 1])
    decisions = Decisions(2)
    assert decisions.update(features @ torch.eye(2) + torch.tensor([0.0, 10.0]), labels).tolist() == [1, 1]
    assert decisions.accuracy == 0.5


@given(seed=st.integers(0, 10_000), batch=st.integers(1, 50))
@few
def test_batches_and_merges_add_up_to_one_pass(seed, batch):
    logits, labels = random_logits(seed)
    losses = torch.nn.functional.cross_entropy(logits.double(), labels, reduction="none")
    whole, parts = Decisions(4), [Decisions(4), Decisions(4)]
    whole.update(logits, labels, losses.mean())
    for index, start in enumerate(range(0, 50, batch)):
        rows = slice(start, start + batch)
        parts[index % 2].update(logits[rows], labels[rows], losses[rows].mean())
    merged = parts[1].merge(parts[0])
    assert torch.equal(merged.confusion, whole.confusion)
    assert merged.loss == pytest.approx(float(losses.mean()), rel=1e-12)


def test_labels_of_one_byte_count_as_any_others():
    logits, labels = random_logits(0, classes=100)
    narrow, wide = Decisions(100), Decisions(100)
    narrow.update(logits, labels.to(torch.uint8))
    wide.update(logits, labels)
    assert torch.equal(narrow.confusion, wide.confusion)


def test_classes_counts_those_that_have_samples():
    decisions = Decisions(5)
    decisions.update(torch.eye(5)[[4, 4, 1]], torch.tensor([0, 0, 1]))
    assert decisions.classes == 2


def test_without_samples_nothing_is_defined():
    decisions = Decisions(3)
    decisions.update(torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64))
    assert decisions.samples == 0
    assert math.isnan(decisions.accuracy)
    assert math.isnan(decisions.loss)


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (torch.zeros(2, 4), [0, 1], r"logits must be \(2, 3\), not \(2, 4\)"),
        (torch.zeros(2, 2), [0, 1], r"logits must be \(2, 3\), not \(2, 2\)"),
        (torch.zeros(2, 3), [0], r"logits must be \(1, 3\)"),
        (torch.zeros(2, 3), [0, 3], "must lie in 0 … 2, found 0 … 3"),
        (torch.zeros(2, 3), [-1, 1], "must lie in 0 … 2, found -1 … 1"),
        (
            torch.tensor([[0.0, 1, math.nan], [0, 1, 2]]),
            [0, 1],
            "1 of 2 samples have logits that are no numb",
        ),
    ],
)
def test_a_bad_batch_is_refused_and_changes_nothing(logits, labels, message):
    decisions = Decisions(3)
    with pytest.raises(ValueError, match=message):
        decisions.update(logits, torch.tensor(labels), torch.tensor(1.0))
    assert decisions.samples == 0
    assert float(decisions._loss) == 0.0


def test_decisions_of_other_classes_do_not_merge():
    with pytest.raises(ValueError, match="1 classes into 3"):
        Decisions(3).merge(Decisions(1))


def test_many_classes_need_no_confusion_counts():
    decisions, full = Decisions(5000), Decisions(5000, confusion=True)
    logits, labels = torch.eye(5000)[[4999, 3, 3, 2]], torch.tensor([4999, 3, 1, 1])
    for found in (decisions, full):
        found.update(logits[:2], labels[:2])
        found.merge(Decisions(5000, confusion=found is full))
        found.update(logits[2:], labels[2:])
    assert decisions.compute().keys() == full.compute().keys()
    assert (decisions.accuracy, decisions.balanced_accuracy) == (0.5, pytest.approx(2 / 3))
    assert torch.equal(decisions.decided, full.decided)
    assert torch.equal(decisions.recall[[1, 3, 4999]], torch.tensor([0.0, 1, 1]).double())
    assert decisions.recall[0].isnan()
    with pytest.raises(ValueError, match="confusion=True"):
        _ = decisions.confusion
    with pytest.raises(ValueError, match="cannot merge"):
        decisions.merge(full)


@pytest.mark.parametrize("confusion", [True, False])
def test_the_state_of_decisions_continues_elsewhere(confusion):
    logits, labels = torch.randn(20, 3), torch.arange(20) % 3
    first, other = Decisions(3, confusion=confusion), Decisions(3)
    first.update(logits[:9], labels[:9], torch.tensor(2.0))
    other.load_state_dict(first.state_dict())
    for found in (first, other):
        found.update(logits[9:], labels[9:], torch.tensor(1.0))
    assert first.compute() == other.compute()


def test_the_loss_is_a_mean_over_the_samples_that_came_with_one():
    decisions, labels = Decisions(2), torch.tensor([0, 1])
    decisions.update(torch.eye(2), labels)
    assert math.isnan(decisions.loss)
    decisions.update(torch.eye(2), labels, torch.tensor(3.0))
    assert (decisions.samples, decisions.priced, decisions.loss) == (4, 2, 3.0)


def test_logits_and_losses_that_need_gradients_leave_none_behind():
    logits = torch.tensor([[0.0, 1.0], [2.0, 0.0]], requires_grad=True)
    decisions = Decisions(2)
    decisions.update(logits, torch.tensor([1, 1]), logits.mean())
    assert decisions.loss == 0.75
    assert not any(value.requires_grad for value in decisions.state_dict().values())
