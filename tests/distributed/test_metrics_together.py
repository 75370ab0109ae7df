"""The torchmetrics adapters in two real processes say what one accumulator says of all samples."""

import pytest
import torch

from layerscope.functional import cdnv, etf_error, nc1_pinv, nc1_quotient, traces
from layerscope.statistics import ClassMoments, Decisions, FeatureSample, NearestCenter

pytestmark = pytest.mark.slow

pytest.importorskip("torchmetrics")


@pytest.fixture(scope="module")
def found(run_ranks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("metrics")
    ended = run_ranks("metrics", 2, folder)
    assert ended.codes == [0, 0], "\n".join(ended.outputs)
    return [torch.load(folder / f"metrics{number}.pt", weights_only=True) for number in range(2)]


def test_class_moments(found):
    features, labels, _ = found[0]["samples"]
    moments = ClassMoments(4, 6, scatter=True)
    moments.update(features, labels)
    means, variances = moments.means, moments.variances
    expected = {
        "nc1_quotient": nc1_quotient(*traces(variances, means)),
        "cdnv": cdnv(variances, means)["mean"],
        "etf_error": etf_error(means),
        "nc1_pinv": nc1_pinv(moments.within_covariance, means),
    }
    for one in found:
        assert {name: float(value) for name, value in one["moments"].items()} == pytest.approx(
            expected, rel=1e-5
        )


def test_decisions_and_nearest_centres(found):
    features, labels, logits = found[0]["samples"]
    network, nearest = Decisions(4), NearestCenter(torch.eye(4, 6), torch.arange(4), 4)
    nearest.update(features, labels, network.update(logits, labels))
    for name, whole in (("network", network), ("nearest", nearest)):
        for one in found:
            values = {key: float(value) for key, value in one[name].items()}
            assert values == pytest.approx(whole.compute(), nan_ok=True)


def test_other_data_and_samples(found):
    features, labels, _ = found[0]["samples"]
    sample = FeatureSample(3, 4, 6, seed=1)
    sample.update(features, labels, torch.arange(61))
    for one in found:
        torch.testing.assert_close(one["other"], features.double().mean(dim=0))
        assert all(torch.equal(a, b) for a, b in zip(one["sample"], sample.compute(), strict=True))
