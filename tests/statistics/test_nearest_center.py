"""Nearest-centre decisions: exact where float32 is not, ties to the lowest class."""

import math
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from moments_reference import few, samples

from layerscope.statistics import Decisions, NearestCenter
from layerscope.statistics.center_search import FasterSearch, ProductSearch, search_among

seeds = st.integers(0, 10_000)


def naive_nearest(points, centers, classes):
    """Direct squared differences in float64; the first of equally near centres."""
    squares = (points.double().unsqueeze(1) - centers.double().unsqueeze(0)).square().sum(dim=2)  # (B, K)
    return classes[squares.argmin(dim=1)]


def means_of(features, labels, classes):
    return torch.stack([features[labels == c].double().mean(dim=0) for c in range(classes)])


def nearest_to(centers, classes=None, total=None):
    classes = torch.arange(len(centers)) if classes is None else classes
    return NearestCenter(centers, classes, len(centers) if total is None else total)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("offset", [0.0, 1e4])
@given(seed=seeds, dim=st.integers(1, 8))
@few
def test_decisions_are_those_of_the_squared_differences(dtype, offset, seed, dim):
    features, labels = samples(seed, count=80, dim=dim, offset=offset)
    features, centers = features.to(dtype), means_of(features, labels, 4)
    found = nearest_to(centers).update(features, labels)
    assert torch.equal(found, naive_nearest(features, centers, torch.arange(4)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("dim", [2, 64])
def test_means_a_twentieth_apart_at_an_offset_of_a_thousand_are_told_apart_exactly(dtype, dim):
    """Expanding the squares of uncentred float32 points gets half of these wrong."""
    centers = torch.full((2, dim), 1000.0, dtype=torch.float64)
    centers[1, 0] += 0.05
    labels = torch.arange(400) % 2
    noise = 1e-3 * torch.randn(400, dim, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    points = (centers[labels] + noise).to(dtype)
    expanded = centers.to(dtype).square().sum(dim=1) - 2 * points @ centers.to(dtype).T
    if dtype == torch.float32:
        assert (expanded.argmin(dim=1) != labels).sum() > 40
    nearest = nearest_to(centers)
    assert torch.equal(nearest.update(points, labels), labels)
    assert nearest.accuracy == 1.0
    assert nearest.ties == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("gap", [1e-3, 1e-6])
def test_points_just_beside_the_middle_of_two_centres_go_to_the_nearer(dtype, gap):
    centers = torch.tensor([[-1.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
    sides = torch.tensor([-gap, gap, gap, -gap], dtype=torch.float64)
    points = torch.stack([sides, torch.tensor([0.0, 5.0, 100.0, 1000.0])], dim=1).to(dtype)
    labels = (sides > 0).long()
    nearest = nearest_to(centers)
    assert torch.equal(nearest.update(points, labels), labels)
    assert nearest.ties == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_ties_go_to_the_lowest_class_and_are_counted(dtype):
    centers = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.0, -1.0], [-1.0, 0.0]], dtype=torch.float64)
    nearest = NearestCenter(centers, torch.tensor([1, 2, 4, 5]), 6)
    points = torch.tensor([[0.0, 0.0], [2.0, 2.0], [-3.0, -3.0], [0.5, 0.0], [2.0, -2.0]], dtype=dtype)
    found = nearest.update(points, torch.tensor([1, 2, 4, 2, 2]))
    assert found.tolist() == [1, 1, 4, 2, 2]
    assert nearest.ties == 4
    assert nearest.accuracy == 4 / 5


@pytest.mark.parametrize("dim", [1, 7, 64])
def test_equal_means_make_every_sample_a_tie_for_class_zero(dim):
    features, labels = samples(0, dim=dim)
    nearest = nearest_to(torch.full((4, dim), 0.3, dtype=torch.float64))
    assert not nearest.update(features, labels).any()
    assert nearest.ties == len(labels)
    assert nearest.accuracy == int((labels == 0).sum()) / len(labels)


def test_duplicates_of_one_mean_tie_for_the_lower_class():
    centers = torch.tensor([[5.0, 0.0], [0.1, 0.2], [0.1, 0.2]], dtype=torch.float64)
    nearest = nearest_to(centers)
    found = nearest.update(torch.tensor([[0.0, 0.0], [6.0, 1.0]]), torch.tensor([2, 0]))
    assert found.tolist() == [1, 0]
    assert nearest.ties == 1


def test_classes_far_apart_are_all_correct():
    features, labels = samples(1, count=100)
    centers = 1e3 * torch.eye(4, 5, dtype=torch.float64)
    nearest = nearest_to(centers)
    nearest.update(centers[labels] + features, labels, labels)
    assert (nearest.accuracy, nearest.balanced_accuracy, nearest.agreement) == (1.0, 1.0, 1.0)
    assert nearest.ties == 0


def test_a_class_without_a_centre_is_never_chosen():
    nearest = NearestCenter(torch.tensor([[0.0], [10.0]]), torch.tensor([1, 3]), 5)
    found = nearest.update(torch.tensor([[-1.0], [4.0], [6.0], [20.0]]), torch.tensor([0, 1, 3, 4]))
    assert found.tolist() == [1, 1, 3, 3]
    assert nearest.accuracy == 0.5
    assert nearest.correct.tolist() == [0, 1, 0, 1, 0]


def test_one_centre_takes_everything_without_a_tie():
    nearest = NearestCenter(torch.tensor([[3.0]]), torch.tensor([2]), 4)
    assert nearest.update(torch.randn(5, 1), torch.tensor([2, 2, 0, 1, 2])).tolist() == [2] * 5
    assert nearest.ties == 0


def test_both_accuracies_are_those_done_by_hand():
    nearest = nearest_to(torch.tensor([[0.0], [10.0], [20.0]]))
    nearest.update(torch.tensor([[0.0], [1.0], [9.0], [10.0], [9.0]]), torch.tensor([0, 0, 0, 1, 1]))
    assert nearest.accuracy == 4 / 5
    assert nearest.balanced_accuracy == pytest.approx((2 / 3 + 1) / 2)  # class 2 has no sample


def test_agreement_is_with_the_decisions_given_and_not_with_the_labels():
    nearest = nearest_to(torch.tensor([[0.0], [10.0]]))
    points, labels = torch.tensor([[0.0], [0.0], [10.0], [10.0]]), torch.tensor([1, 1, 0, 1])
    nearest.update(points, labels, torch.tensor([0, 1, 1, 1]))
    assert nearest.agreement == 3 / 4
    assert nearest.balanced_agreement == pytest.approx((1 + 2 / 3) / 2)  # class 0 agrees, class 1 in 2 of 3
    assert nearest.accuracy == 1 / 4


def test_a_bias_that_overrules_the_weights_shows_in_the_agreement():
    """Without the bias every decision is the nearest mean; with it, class 1 takes all."""
    points = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    labels = torch.tensor([0, 1, 0, 1])
    weights, bias = torch.eye(2), torch.tensor([0.0, 10.0])
    nearest, network = nearest_to(torch.eye(2)), Decisions(2)
    nearest.update(points, labels, network.update(points @ weights.T + bias, labels))
    assert nearest.accuracy == 1.0
    assert nearest.agreement == 0.5
    assert network.accuracy == 0.5


@given(seed=seeds)
@few
def test_batches_and_merges_add_up_to_one_pass(seed):
    features, labels = samples(seed, count=90)
    centers = means_of(*samples(seed, count=400), 4)
    decisions = (labels + (features[:, 0] > 0)) % 4
    whole, parts = nearest_to(centers), [nearest_to(centers) for _ in range(3)]
    whole.update(features, labels, decisions)
    for start in range(0, 90, 10):
        rows = slice(start, start + 10)
        parts[start // 10 % 3].update(features[rows], labels[rows], decisions[rows])
    merged = parts[2].merge(parts[0]).merge(parts[1])
    for name in ("correct", "counts", "agreeing", "ties"):
        assert torch.equal(getattr(merged, name), getattr(whole, name)), name
    assert merged.samples == 90


@given(seed=seeds)
@few
def test_decisions_ignore_shift_scale_and_rotation(seed):
    features, labels = samples(seed)
    centers = means_of(*samples(seed, count=400), 4)
    turn = torch.linalg.qr(samples(seed + 1, count=5)[0]).Q
    expected = nearest_to(centers).update(features, labels)
    for points, moved in (
        (features + 1e3, centers + 1e3),
        (features * 1e-3, centers * 1e-3),
        (features @ turn, centers @ turn),
        (torch.nn.functional.pad(features, (0, 3)), torch.nn.functional.pad(centers, (0, 3))),
    ):
        assert torch.equal(nearest_to(moved).update(points, labels), expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_points_are_decided_as_the_same_points_in_float64(dtype):
    features, labels = samples(2, count=200)
    centers = means_of(features, labels, 4)
    points = features.to(dtype)
    found = nearest_to(centers).update(points, labels)
    assert torch.equal(found, naive_nearest(points, centers, torch.arange(4)))


def test_close_calls_are_read_again_from_the_exact_points():
    centers = torch.tensor([[-1.0], [1.0]], dtype=torch.float64)
    truth = torch.tensor([[1e-7], [-3.0], [-1e-7]], dtype=torch.float64)
    rounded = torch.tensor([[0.0], [-3.0], [0.0]])
    asked = []

    def exact(rows):
        asked.append(rows.tolist())
        return truth[rows]

    nearest = nearest_to(centers)
    found = nearest.update(rounded, torch.tensor([1, 0, 0]), exact=exact)
    assert found.tolist() == [1, 0, 0]
    assert asked == [[0, 2]]
    assert nearest.ties == 0


def test_a_larger_stated_error_makes_more_calls_close():
    asked = []

    def exact(rows):
        asked.extend(rows.tolist())
        return points[rows].double()

    points = torch.tensor([[1e-3], [-3.0]])
    nearest = nearest_to(torch.tensor([[-1.0], [1.0]]))
    assert nearest.decide(points, exact=exact)[0].tolist() == [1, 0]
    assert asked == []
    assert nearest.decide(points, exact=exact, error=torch.tensor([1e7, 1e7]))[0].tolist() == [1, 0]
    assert asked == [0, 1]


def test_deciding_does_not_count():
    nearest = nearest_to(torch.eye(2))
    nearest.decide(torch.eye(2))
    assert nearest.samples == 0


def test_without_samples_nothing_is_defined():
    nearest = nearest_to(torch.eye(3))
    nearest.update(torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64))
    assert nearest.samples == 0
    assert all(math.isnan(v) for v in (nearest.accuracy, nearest.balanced_accuracy, nearest.agreement))


@pytest.mark.parametrize(
    ("points", "labels"),
    [
        (torch.zeros(2, 4), [0, 1]),
        (torch.zeros(2, 3), [0, 3]),
        (torch.zeros(2, 3), [0, -1]),
        (torch.zeros(2, 3), [0, 1, 2]),
    ],
    ids=["width", "label too large", "label negative", "too many labels"],
)
def test_a_batch_that_does_not_fit_is_refused(points, labels):
    nearest = nearest_to(torch.eye(3))
    with pytest.raises(ValueError, match="must"):
        nearest.update(points, torch.tensor(labels))
    assert nearest.samples == 0


@pytest.mark.parametrize("search", ["torch", "faiss"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_points_that_are_not_finite_are_refused_and_not_counted(bad, search):
    if search == "faiss":
        pytest.importorskip("faiss")
    nearest = NearestCenter(torch.eye(3), torch.arange(3), 3, search=search)
    with pytest.raises(ValueError, match="1 of 2 samples have features that are not finite"):
        nearest.update(torch.tensor([[0.0, 1, 0], [0, bad, 0]]), torch.tensor([1, 1]))
    assert nearest.samples == 0


@pytest.mark.parametrize(
    ("centers", "classes", "message"),
    [
        (torch.full((3, 3), math.nan), [0, 1, 2], "9 entries of the centres are not finite"),
        (torch.eye(3), [0, 1], r"3 centres cannot have classes of shape \(2,\)"),
        (torch.zeros(0, 3), [], "0 centres"),
    ],
)
def test_centres_that_nothing_can_be_near_to_are_refused(centers, classes, message):
    with pytest.raises(ValueError, match=message):
        NearestCenter(centers, torch.tensor(classes, dtype=torch.int64), 3)


def test_agreement_is_a_share_of_the_samples_that_came_with_a_decision():
    nearest, labels = nearest_to(torch.eye(3)), torch.tensor([0, 1])
    nearest.update(torch.eye(3)[:2], labels)
    assert math.isnan(nearest.agreement)
    assert math.isnan(nearest.balanced_agreement)
    nearest.update(torch.eye(3)[:2], labels, torch.tensor([0, 2]))
    assert nearest.samples == 4
    assert nearest.agreement == nearest.balanced_agreement == 0.5
    with pytest.raises(ValueError, match="2 points must have as many decisions"):
        nearest.update(torch.eye(3)[:2], labels, torch.tensor([0]))


def test_scores_of_very_many_centres_are_taken_in_tiles(monkeypatch):
    from layerscope.statistics import nearest_center as module

    generator = torch.Generator().manual_seed(2)
    centers = torch.randn(40, 6, generator=generator)
    centers[7] = centers[3]  # ties are decided again in float64, by row numbers of the whole batch
    points = torch.cat([torch.randn(50, 6, generator=generator), centers[[3, 7]]])
    labels = torch.arange(52) % 40
    whole = NearestCenter(centers, torch.arange(40), 40)
    expected = whole.update(points, labels, exact=lambda rows: points[rows].double())
    monkeypatch.setattr(module, "SCORES", 200)
    tiled = NearestCenter(centers, torch.arange(40), 40)
    found = tiled.update(points, labels, exact=lambda rows: points[rows].double())
    assert torch.equal(found, expected)
    assert tiled.compute() == whole.compute()
    assert int(tiled.ties) >= 2


def test_the_state_continues_elsewhere_and_other_centres_are_not_merged():
    centers = torch.eye(3, dtype=torch.float64)
    first, other = NearestCenter(centers, torch.arange(3), 3), NearestCenter(centers + 1, torch.arange(3), 3)
    first.update(torch.eye(3), torch.tensor([0, 1, 0]))
    other.load_state_dict(first.state_dict())
    assert other.compute() | {"agreement": 0} == first.compute() | {"agreement": 0}
    with pytest.raises(ValueError, match="other centres"):
        first.merge(NearestCenter(centers[:2], torch.arange(2), 3))


@pytest.mark.parametrize("classes", [1, 2, 300])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_faiss_decides_as_the_product_does(classes, dtype):
    pytest.importorskip("faiss")
    generator = torch.Generator().manual_seed(classes)
    centers = torch.randn(classes, 12, generator=generator, dtype=torch.float64) + 1000
    centers[1:2] = centers[:1]  # two equal centres, so that every point near them is a tie
    labels = torch.randint(0, classes, (500,), generator=generator)
    points = (centers[labels] + 0.7 * torch.randn(500, 12, generator=generator)).to(dtype)
    decided = labels.roll(1)
    found = []
    for search in ("torch", "faiss", "auto"):
        nearest = NearestCenter(centers, torch.arange(classes), classes, search=search)
        nearest.update(points[:100], labels[:100], decided[:100])
        again = NearestCenter(centers, torch.arange(classes), classes, search=search)
        again.load_state_dict(nearest.state_dict())
        again.update(points[100:], labels[100:], decided[100:])
        found.append((again.decide(points)[0], again.compute()))
    for other in found[1:]:
        assert torch.equal(found[0][0], other[0])
        assert found[0][1] == other[1]
    assert found[0][1]["ties"] > 0 or classes == 1


def test_an_unknown_search_is_refused_and_a_missing_one_names_the_remedy(monkeypatch):
    with pytest.raises(ValueError, match="must be 'torch', 'faiss' or 'auto', not 'annoy'"):
        NearestCenter(torch.eye(2), torch.arange(2), 2, search="annoy")
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(ImportError, match=r"pip install 'layerscope\[faiss\]'"):
        NearestCenter(torch.eye(2), torch.arange(2), 2, search="faiss")


class Counted:
    """A search that takes so many seconds of a clock of its own."""

    def __init__(self, centers, seconds, clock):
        self.search, self.seconds, self.clock, self.calls = ProductSearch(centers), seconds, clock, 0

    def leading(self, points):
        self.calls += 1
        self.clock[0] += self.seconds
        return self.search.leading(points)


@pytest.mark.parametrize("faster", [0, 1])
def test_of_two_searches_the_faster_one_stays(faster):
    clock, centers, points = [0.0], torch.eye(4, dtype=torch.float64), torch.randn(300, 4)
    both = [Counted(centers, 1.0 if place == faster else 2.0, clock) for place in range(2)]
    search = FasterSearch(both[0], lambda: both[1], clock=lambda: clock[0])
    search.leading(points[:10])
    assert both[1].calls == 0  # too few points to say anything
    search.leading(points)
    calls = [each.calls for each in both]
    best, _ = search.leading(points)
    assert [each.calls - before for each, before in zip(both, calls, strict=True)] == [1 - faster, faster]
    assert torch.equal(best, ProductSearch(centers).leading(points)[0])


def test_auto_is_the_product_for_few_centres_and_without_faiss(monkeypatch):
    assert isinstance(search_among(torch.eye(63), "auto"), ProductSearch)
    monkeypatch.setitem(sys.modules, "faiss", None)
    assert isinstance(search_among(torch.eye(64), "auto"), ProductSearch)


def test_auto_weighs_faiss_for_many_centres():
    pytest.importorskip("faiss")
    assert isinstance(search_among(torch.eye(64), "auto"), FasterSearch)


@pytest.mark.parametrize("count", [1, 3])
def test_points_whose_distances_overflow_in_the_index_are_refused(count):
    pytest.importorskip("faiss")
    nearest = NearestCenter(torch.eye(4)[:count], torch.arange(count), 4, search="faiss")
    if count == 1:
        assert nearest.decide(1e25 * torch.ones(2, 4).double())[0].tolist() == [0, 0]
        return
    with pytest.raises(ValueError, match=r"not finite \(or overflow\)"):
        nearest.decide(1e25 * torch.ones(2, 4).double())


def test_other_decisions_of_the_network_are_counted_of_the_same_points():
    features, labels = samples(3, count=90, dim=3, offset=0.0)
    centers, generator = means_of(features, labels, 4), torch.Generator().manual_seed(1)
    first, second = torch.randint(0, 4, (2, 90), generator=generator)
    seen, alone = nearest_to(centers), nearest_to(centers)
    nearest = torch.cat(
        [seen.update(*some) for some in zip(*(x.split(40) for x in (features, labels, first)), strict=True)]
    )
    before = seen.state_dict()
    other = seen.with_decisions(nearest, labels, second)
    alone.update(features, labels, second)
    assert not torch.equal(other.agreeing, seen.agreeing)
    for name, value in alone.state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name
    other.update(features, labels, second)
    assert all(torch.equal(seen.state_dict()[name], value) for name, value in before.items())
