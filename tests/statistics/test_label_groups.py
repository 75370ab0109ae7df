"""Labels of a batch, grouped by class."""

import pytest
import torch

from layerscope.statistics.label_groups import NewestGroups, label_groups

LABELS = torch.tensor([2, 0, 2, 3, 0, 2])


def test_samples_of_a_class_stand_together_in_their_order():
    groups = label_groups(LABELS.to(torch.uint8), 6, 5)
    assert groups.counts.tolist() == [2, 0, 3, 1, 0]
    assert groups.order.tolist() == [1, 4, 0, 2, 5, 3]
    assert groups.starts.tolist() == [0, 2, 2, 5, 6]


def test_labels_out_of_range_are_refused():
    with pytest.raises(ValueError, match="must lie in 0 … 2, found 0 … 3"):
        label_groups(LABELS, 6, 3)


def test_every_batch_is_grouped_once():
    newest = NewestGroups(5)
    first = newest.of(LABELS[:3], 0)
    assert newest.of(LABELS[:3], 0) is first
    second = newest.of(LABELS[3:], 3)
    assert second.counts.tolist() == [1, 0, 1, 1, 0]
    assert newest.of(LABELS[:3], 0).counts.tolist() == first.counts.tolist()
